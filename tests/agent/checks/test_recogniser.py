from pathlib import Path

import pytest

from agent.checks import Verdict, recogniser
from agent.checks.line import CheckLine
from models import sherpa
from tests.agent.checks.test_checks import settings_of
from tests.models.recognisers import write_recogniser


def looked(folder: Path, manifest: Path) -> CheckLine:
    return recogniser.look(settings_of(folder, observe={"recogniser": manifest}), None)


def test_without_a_recogniser_nothing_is_wrong(tmp_path: Path):
    line = recogniser.look(settings_of(tmp_path), None)
    assert (line.verdict, line.words) == (Verdict.OK, "none: no words are told")


def test_one_that_is_what_it_says_is_told_with_its_licence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sherpa, "PACKAGE", "json")  # as if the engine were installed
    line = looked(tmp_path, write_recogniser(tmp_path))
    assert line.verdict is Verdict.OK
    assert line.words == "tiny (zipformer_ctc, zh), hashes right; licence Apache-2.0"


def test_a_file_that_is_not_the_one_named_and_a_missing_engine_are_warned_of(tmp_path: Path, monkeypatch):
    manifest = write_recogniser(tmp_path)
    monkeypatch.setattr(sherpa, "PACKAGE", "a_package_that_nobody_has")
    line = looked(tmp_path, manifest)
    assert (line.verdict, line.todo) == (Verdict.WARN, "pip install 'tongtang[asr]'")
    (tmp_path / "tokens.txt").write_text("other")
    line = looked(tmp_path, manifest)
    assert line.verdict is Verdict.WARN
    assert "is not the one that its manifest names" in line.words
