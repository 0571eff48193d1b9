"""The chapters of a lesson over HTTP: derived, edited, gone back to, found, and gone with the recordings."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from contract.observation import Observation
from contract.package import MANIFEST
from contract.session import Role
from hub.archive.expiry import DAY_S, delete_due
from hub.archive.store import FolderStore
from hub.insight.contents import LessonContents
from hub.store.store import Store
from tests.hub_api.archive.test_intake import send
from tests.hub_api.district import ALL_ON, Device, District, package

SLIDES = ((0.0, "导入"), (16.0, "面积法"))


def observed(kind: str, t: float, **value: object) -> Observation:
    return Observation(kind=kind, t=t, mono_ns=0, confidence=0.9, value=value)


def upload(hub: District, device: Device, folder: Path, session: str, *lines: Observation, **more: object) -> None:
    timeline = "".join(line.model_dump_json() + "\n" for line in lines).encode()
    files = {"camera.mp4": b"picture", "timeline.jsonl": timeline}
    role = Role.LEAD if device is hub.lead else Role.RECEIVING
    package(folder, device, role, session, files, seconds=60.0, **more)
    for name in (*files, MANIFEST):
        send(hub, device, session, folder / name)


def slides(*shown: tuple[float, str]) -> list[Observation]:
    return [observed("slide", t, index=1, title=title, title_confidence=0.8) for t, title in shown or SLIDES]


def path(session: str) -> str:
    return f"/api/v1/sessions/{session}/chapters"


def told(chapters: list[dict]) -> list[tuple[float, float, str | None, str]]:
    return [(one["t"], one["seconds"], one["title"], one["source"]) for one in chapters]


@pytest.fixture
def lesson(hub: District, tmp_path: Path) -> str:
    """A lesson of a minute whose lead room's package is here."""
    session = hub.session(seconds=60.0, title="勾股定理")
    upload(hub, hub.lead, tmp_path / "lead", session, *slides())
    return session


def put(hub: District, session: str, rev: int, *rows: tuple[float, str | None]) -> httpx.Response:
    body = {"rev": rev, "chapters": [{"t": t, "title": title} for t, title in rows]}
    return hub.http().put(path(session), json=body)


def test_chapters_are_derived_from_what_has_arrived_and_playback_carries_them(hub: District, lesson: str):
    answer = hub.http().get(path(lesson)).json()
    assert (answer["rev"], answer["edited"], answer["session"]) == (1, False, lesson)
    assert told(answer["chapters"]) == [(0.0, 16.0, "导入", "slide"), (16.0, 44.0, "面积法", "slide")]
    assert [one["confidence"] for one in answer["chapters"]] == [0.8, 0.8]
    assert hub.http().get(f"/api/v1/sessions/{lesson}/playback").json()["chapters"] == answer["chapters"]
    assert hub.http().get(path(lesson)).json() == answer


def test_the_far_rooms_marks_join_in_when_its_package_arrives(hub: District, lesson: str, tmp_path: Path):
    assert hub.http().get(path(lesson)).json()["rev"] == 1
    upload(hub, hub.receiving, tmp_path / "far", lesson, observed("mark", 40.0, title="小组讨论"))
    answer = hub.http().get(path(lesson)).json()
    assert (answer["rev"], told(answer["chapters"])[-1]) == (2, (40.0, 20.0, "小组讨论", "mark"))


def test_a_package_that_says_nothing_new_leaves_the_revision(hub: District, lesson: str, tmp_path: Path):
    assert hub.http().get(path(lesson)).json()["rev"] == 1
    upload(hub, hub.receiving, tmp_path / "far", lesson)
    assert put(hub, lesson, 1, (0, "甲")).status_code == 200


def test_a_lesson_without_a_package_has_one_chapter_that_cannot_be_edited_yet(hub: District):
    session = hub.session(seconds=60.0, title="勾股定理")
    answer = hub.http().get(path(session)).json()
    assert (answer["rev"], told(answer["chapters"])) == (0, [(0.0, 60.0, "勾股定理", "plan")])
    refused = put(hub, session, 0, (0, "甲"))
    assert refused.status_code == 409
    assert "no recording" in refused.json()["error"]


def test_an_edited_list_is_kept_with_who_edited_it_and_outlives_the_hub(hub: District, lesson: str):
    before = time.time()
    answer = put(hub, lesson, 1, (0, "导入"), (12.5, "面积法（一）"), (30, None)).json()
    assert (answer["rev"], answer["edited"], answer["editor"]) == (2, True, "operator")
    assert before - 1 < answer["changed"] < time.time() + 1
    assert told(answer["chapters"]) == [
        (0.0, 12.5, "导入", "slide"),
        (12.5, 17.5, "面积法（一）", "edited"),
        (30.0, 30.0, None, "edited"),
    ]
    again = Store.open(hub.parts.settings.database_url)
    assert [row.title for row in again.chapters.get(lesson).rows] == ["导入", "面积法（一）", None]
    again.close()
    assert hub.http().get(path(lesson)).json() == answer


def test_what_was_read_can_be_put_back_as_it_was(hub: District, lesson: str):
    read = hub.http().get(path(lesson)).json()
    kept = hub.http().put(path(lesson), json=read).json()
    assert kept["chapters"] == read["chapters"]


def test_whoever_comes_second_is_told_so_and_given_the_newer_list(hub: District, lesson: str):
    assert put(hub, lesson, 1, (0, "甲")).status_code == 200
    late = put(hub, lesson, 1, (0, "乙"))
    assert late.status_code == 409
    assert "changed by operator" in late.json()["error"]
    assert late.json()["newest"] == hub.http().get(path(lesson)).json()
    assert [one["title"] for one in late.json()["newest"]["chapters"]] == ["甲"]
    assert hub.http().delete(path(lesson), params={"rev": 1}).status_code == 409


def test_of_several_who_save_at_once_one_is_taken_and_the_others_are_told(hub: District, lesson: str):
    hub.http().get(path(lesson))
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda number: put(hub, lesson, 1, (0, f"第 {number} 份")), range(6)))
    assert sorted(answer.status_code for answer in answers) == [200, *[409] * 5]
    (taken,) = [answer.json() for answer in answers if answer.status_code == 200]
    assert hub.http().get(path(lesson)).json() == taken
    assert all(answer.json()["newest"] == taken for answer in answers if answer.status_code == 409)


def test_a_package_that_arrives_later_does_not_undo_what_was_edited(hub: District, lesson: str, tmp_path: Path):
    put(hub, lesson, 1, (0, "甲"))
    upload(hub, hub.receiving, tmp_path / "far", lesson, observed("mark", 40.0, title="小组讨论"))
    answer = hub.http().get(path(lesson)).json()
    assert (answer["rev"], told(answer["chapters"])) == (2, [(0.0, 60.0, "甲", "edited")])


def test_going_back_gives_the_derived_list_and_old_revisions_stay_old(hub: District, lesson: str):
    derived = hub.http().get(path(lesson)).json()["chapters"]
    put(hub, lesson, 1, (0, "甲"))
    back = hub.http().delete(path(lesson)).json()
    assert (back["rev"], back["edited"], back["editor"], back["changed"]) == (3, False, "", None)
    assert back["chapters"] == derived
    assert put(hub, lesson, 1, (0, "乙")).status_code == 409
    assert hub.http().delete(path(lesson)).json() == back
    assert put(hub, lesson, 3, (0, "乙")).json()["rev"] == 4


@pytest.mark.parametrize(
    ("rows", "row", "reason"),
    [
        ([], None, "none"),
        ([(0, "甲"), (60, "乙")], 2, "outside"),
        ([(3, "甲")], 1, "first"),
        ([(0, "甲"), (20, "乙"), (20, "丙")], 3, "order"),
        ([(0, "甲"), (20, "")], 2, "title"),
    ],
)
def test_a_list_that_is_none_of_this_lessons_is_refused_by_its_row(hub: District, lesson: str, rows, row, reason):
    refused = put(hub, lesson, 1, *rows)
    assert refused.status_code == 422
    assert (refused.json()["row"], refused.json()["reason"]) == (row, reason)
    assert hub.http().get(path(lesson)).json()["edited"] is False


def test_a_body_that_is_no_list_is_refused_in_words(hub: District, lesson: str):
    for body in ({"rev": 1}, {"rev": -1, "chapters": []}, {"rev": 1, "chapters": [{"t": "x", "title": "甲"}]}, []):
        refused = hub.http().put(path(lesson), json=body)
        assert (refused.status_code, bool(refused.json()["what_to_do"])) == (422, True)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_a_lesson_that_nobody_knows_has_no_chapters(hub: District, method: str):
    body = {"rev": 0, "chapters": [{"t": 0, "title": "甲"}]} if method == "PUT" else None
    assert hub.http().request(method, path("s-2026-none"), json=body).status_code == 404


def test_chapters_are_found_by_their_titles_derived_and_edited_without_anybody_having_looked(
    hub: District, lesson: str, tmp_path: Path
):
    def found(words: str) -> list[tuple[str, str]]:
        answer = hub.http().get("/api/v1/chapters", params={"q": words})
        return [(one["lesson"], one["chapter"]["title"]) for one in answer.json()]

    until = time.monotonic() + 20
    while found("面积") != [("勾股定理", "面积法")]:
        assert time.monotonic() < until
        time.sleep(0.05)
    put(hub, lesson, 1, (0, "引言"))
    assert found("面积") == []
    (one,) = hub.http().get("/api/v1/chapters", params={"q": "引言 "}).json()
    assert one["play"] == f"/lessons/{lesson}?t=0"
    assert found(" ") == []
    assert hub.http().get("/api/v1/chapters", params={"q": "\x00"}).json() == []
    assert hub.http().get("/api/v1/chapters").status_code == 422


def contents_of(hub: District) -> LessonContents:
    parts = hub.parts
    return LessonContents(parts.store.chapters, FolderStore(parts.archive), parts.conductor.order, parts.clock.now)


def test_when_the_recordings_are_deleted_the_chapters_go_edited_or_not(hub: District, tmp_path: Path):
    policy = ALL_ON.model_copy(update={"delete_after_days": 1.0})
    titles = ["one", "two"]
    sessions = []
    for number, title in enumerate(titles):
        hub.parts.clock.behind_s = 1000.0 * (number + 1)
        sessions.append(hub.session(seconds=60.0, title="勾股定理", policy=policy))
        hub.parts.clock.behind_s = 0.0
        upload(hub, hub.lead, tmp_path / title, sessions[-1], *slides((0.0, f"导入 {title}")), policy=policy)
    assert put(hub, sessions[1], 1, (0, "张三的面积法")).status_code == 200
    contents = contents_of(hub)
    contents.derive(sessions[0])
    assert {one.session for one in contents.find("导入", 9)} == {sessions[0]}
    contents.forget_deleted()
    assert set(hub.parts.store.chapters.bases()) == set(sessions)
    delete_due(FolderStore(hub.parts.archive), time.time() + 2 * DAY_S)

    for session in sessions:  # at once, before anybody has tidied up
        answer = hub.http().get(path(session)).json()
        assert (answer["edited"], told(answer["chapters"])) == (False, [(0.0, 60.0, "勾股定理", "plan")])
        assert put(hub, session, answer["rev"], (0, "甲")).status_code == 410
    contents.forget_deleted()
    assert hub.parts.store.chapters.bases() == {}
    for words in ("导入", "张三"):
        assert hub.http().get("/api/v1/chapters", params={"q": words}).json() == []


def test_an_archive_that_is_not_restored_yet_costs_no_edited_chapters(hub: District, lesson: str):
    put(hub, lesson, 1, (0, "甲"))
    away = hub.parts.archive / lesson
    kept = away.with_name("away")
    away.rename(kept)
    contents_of(hub).forget_deleted()
    assert hub.http().get(path(lesson)).json()["chapters"][0]["title"] == "甲"
    kept.rename(away)
    assert put(hub, lesson, 2, (0, "乙")).status_code == 200


def test_lessons_of_before_and_chapters_of_older_rules_are_derived_and_edited_ones_are_let_be(
    hub: District, lesson: str
):
    table, contents = hub.parts.store.chapters, contents_of(hub)
    hub.http().get(path(lesson))
    assert contents.outdated() == []
    kept = table.get(lesson)
    table.put(replace(kept, basis="0:older", rows=kept.rows[:1]), 1)
    assert contents.outdated() == [lesson]
    contents.derive(lesson)
    assert [row.title for row in table.get(lesson).rows] == ["导入", "面积法"]
    table.drop([lesson])
    assert contents.outdated() == [lesson]
    contents.derive(lesson)
    put(hub, lesson, 1, (0, "甲"))
    assert contents.outdated() == []
    contents.derive("s-2026-none")  # the archive may hold what this hub does not know
