"""The lesson report over HTTP: of packages that are in the archive, all, some or none of them."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from contract.session import Policy
from hub.archive.store import FolderStore, PackageId
from hub.insight import reports
from tests.hub.insight.archive import archived
from tests.hub.insight.lessons import lesson
from tests.hub_api.district import District
from tests.hub_api.reported import kept, taught


def report(hub: District, session: str) -> dict:
    with hub.http() as http:
        answer = http.get(f"/api/v1/sessions/{session}/report")
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_lesson_of_which_both_packages_are_here_is_reported_whole(hub: District, tmp_path: Path):
    session = taught(hub)
    kept(hub, session, tmp_path, 0, 1)
    told = report(hub, session)
    assert (told["version"], told["standing"], told["session"]) == (1, "whole", session)
    assert [(one["room"], one["package"]) for one in told["rooms"]] == [("room-lead", True), ("room-far", True)]
    assert told["measures"]["talk"]["share"]["lead_teacher"]["value"] > 0.3
    with hub.http() as http:
        chapters = http.get(f"/api/v1/sessions/{session}/chapters").json()["chapters"]
    assert [(one["t"], one["title"]) for one in told["chapters"]] == [(one["t"], one["title"]) for one in chapters]


def test_the_report_follows_a_package_that_arrives_and_chapters_that_are_edited(hub: District, tmp_path: Path):
    session = taught(hub)
    kept(hub, session, tmp_path, 0)
    first = report(hub, session)
    assert (first["standing"], first["rooms"][1]["package"]) == ("part", False)
    assert first["measures"]["talk"]["share"]["far_pupils"]["reason"] == "coverage"
    kept(hub, session, tmp_path, 1)
    assert report(hub, session)["standing"] == "whole"
    with hub.http() as http:
        rev = http.get(f"/api/v1/sessions/{session}/chapters").json()["rev"]
        edit = {"rev": rev, "chapters": [{"t": 0, "title": "我的标题"}]}
        assert http.put(f"/api/v1/sessions/{session}/chapters", json=edit).status_code == 200
    (chapter,) = report(hub, session)["chapters"]
    assert (chapter["title"], chapter["source"]) == ("我的标题", "edited")


def test_what_was_deleted_is_told_no_more(hub: District, tmp_path: Path):
    session = taught(hub)
    kept(hub, session, tmp_path, 0, 1)
    assert report(hub, session)["standing"] == "whole"
    store = FolderStore(hub.parts.archive)
    for room in ("room-lead", "room-far"):
        store.delete(PackageId(session, room), "its day had come", time.time())
    told = report(hub, session)
    assert (told["standing"], told["chapters"], told["measures"]["st"]["codes"].strip("?")) == ("nothing", [], "")


def test_a_session_that_was_not_to_be_observed_has_nothing_to_show_whatever_lies_in_the_archive(
    hub: District, tmp_path: Path
):
    session = taught(hub, policy=Policy(record=True, upload=True))
    made = kept(hub, session, tmp_path, 0, 1)
    assert "真分数和假分数" in made.bytes_of("room-lead").decode()
    told = report(hub, session)
    assert told["standing"] == "not-observed"
    assert "真分数和假分数" not in json.dumps(told, ensure_ascii=False)
    assert all(one["observations"] == 0 and one["slides"] == [] for one in told["rooms"])


def test_a_lesson_that_still_runs_says_so(hub: District):
    assert report(hub, hub.session(seconds=600.0))["standing"] == "not-ended"


def test_a_lesson_that_nobody_knows_has_no_report(hub: District):
    with hub.http() as http:
        assert http.get("/api/v1/sessions/s-nobody/report").status_code == 404


@pytest.mark.parametrize("path", ["/api/v1/sessions/s-some/report", "/lessons/s-some/report"])
def test_the_report_is_for_operators_alone(hub: District, path: str):
    with hub.http() as http:
        assert http.get(path, headers={"Authorization": ""}).status_code == 401
        assert http.get(path, headers=hub.lead.headers).status_code == 403


def test_the_report_of_torn_packages_is_a_report(hub: District, tmp_path: Path):
    session = taught(hub)
    order = hub.parts.conductor.order(session)
    made = lesson(seconds=order.seconds, order=order)
    for at, tear in ((0, b'{"v":1,"kind":"voi'), (1, b"\x00\xff" * 9000)):
        manifest, _ = made.packages[at]
        archived(hub.parts.archive, manifest, made.bytes_of(manifest.room) + tear, scratch=tmp_path)
    assert [one["unreadable"] for one in report(hub, session)["rooms"]] == [1, 1]


def test_a_report_is_made_once_for_all_who_ask_until_something_changes(
    hub: District, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    made = []
    really = reports.lesson_report
    monkeypatch.setattr(reports, "lesson_report", lambda *args, **more: made.append(1) or really(*args, **more))
    session = taught(hub)
    kept(hub, session, tmp_path, 0)
    with ThreadPoolExecutor(8) as many:
        told = list(many.map(lambda _: report(hub, session), range(8)))
    assert (len(made), all(one == told[0] for one in told)) == (1, True)
    with hub.http() as http:
        http.get(f"/lessons/{session}/report")
    assert len(made) == 1
    kept(hub, session, tmp_path, 1)
    report(hub, session)
    assert len(made) == 2
