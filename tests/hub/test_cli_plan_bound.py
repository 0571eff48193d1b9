"""The command that proves what no plan can exceed, as somebody at a terminal uses it."""

import json

import pytest
from typer.testing import CliRunner

from hub.cli_plan import app
from hub.schedule.generate import generate, planted

run = CliRunner()


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plan")
    district, plan = planted(schools=8, rooms=30, requests=80, seed=2)
    district.save(folder / "district.json")
    plan.save(folder / "plan.json")
    generate(schools=8, rooms=30, requests=80, seed=3).save(folder / "other.json")
    return folder


def test_a_bound_is_proven_and_its_proof_checked_by_multiplying_it_out(files):
    district, proof = str(files / "district.json"), str(files / "proof.npz")
    sought = json.loads(run.invoke(app, ["bound", district, "--out", proof, "--json"]).stdout)
    checked = json.loads(run.invoke(app, ["bound", district, "--check", proof, "--json"]).stdout)
    planned = json.loads(run.invoke(app, ["check", district, str(files / "plan.json"), "--json"]).stdout)
    assert checked["bound"] == sought["bound"]
    assert planned["score"]["total"] <= checked["bound"] <= 1.1 * planned["score"]["total"]


def test_a_proof_is_refused_for_another_district(files):
    run.invoke(app, ["bound", str(files / "district.json"), "--out", str(files / "one.npz")])
    answer = run.invoke(app, ["bound", str(files / "other.json"), "--check", str(files / "one.npz")])
    assert answer.exit_code == 2
    assert "another district" in answer.stderr
