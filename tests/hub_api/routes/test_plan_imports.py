"""The school's facts over HTTP: a dry run first, then all or nothing, and back."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.api.plan_imports import LARGEST_IMPORT_BYTES
from tests.hub_api.district import District, district

IMPORTS = "/api/v1/plan/imports"
SCHOOLS = "编号,名称\ns1,一小\ns2,二小\n"


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[District]:
    with district(tmp_path) as made:
        yield made


def send(hub: District, text: str, name: str = "schools.csv", **form: object):
    files = [("files", (name, text.encode(), "text/csv"))]
    return hub.http().post(IMPORTS, files=files, data={key: str(value) for key, value in form.items()})


def counts(hub: District) -> dict[str, int]:
    return hub.http().get("/api/v1/plan/facts").json()["counts"]


def test_nothing_is_changed_until_it_is_asked_for_and_then_it_is_listed_and_taken_back(hub: District):
    dry = send(hub, SCHOOLS)
    assert (dry.status_code, dry.json()["applied"], dry.json()["counts"]) == (200, None, {"school": {"added": 2}})
    assert counts(hub) == {}
    made = send(hub, SCHOOLS, dry_run=False).json()
    assert counts(hub) == {"school": 2}
    (listed,) = hub.http().get(IMPORTS).json()
    assert (listed["id"], listed["operator"], listed["words"]) == (made["applied"], "operator", "学校 +2")
    facts = hub.http().get("/api/v1/plan/facts", params={"kind": "school", "school": "s2"}).json()["facts"]
    assert [one["name"] for one in facts] == ["二小"]
    undo = hub.http().post(f"{IMPORTS}/{made['applied']}/undo")
    assert (undo.status_code, undo.json()["format"]) == (200, "undo")
    assert counts(hub) == {}
    again = hub.http().post(f"{IMPORTS}/{made['applied']}/undo")
    assert (again.status_code, again.json()["error"]) == (409, f"import {made['applied']} is undone already")


def test_mistakes_are_told_in_the_language_that_is_asked_for_and_keep_everything_back(hub: District):
    bad = f"{SCHOOLS}s3,\n"
    answer = send(hub, bad, dry_run=False, language="en")
    assert answer.status_code == 422
    (mistake,) = answer.json()["mistakes"]
    assert (mistake["file"], mistake["row"], mistake["column"]) == ("schools.csv", 4, "名称")
    assert mistake["words"].endswith("must not be empty")
    assert counts(hub) == {}
    assert "不能为空" in send(hub, bad).json()["mistakes"][0]["words"]
    assert send(hub, bad, dry_run=False, skip_bad_rows=True).status_code == 200
    assert counts(hub) == {"school": 2}


def test_of_two_imports_at_once_each_is_whole(hub: District):
    answers = []

    def one(name: str) -> None:
        answers.append(send(hub, f"编号,名称\ns1,{name}\ns2,{name}\n", dry_run=False).status_code)

    threads = [threading.Thread(target=one, args=(name,)) for name in ("甲", "乙", "丙")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(answers) <= {200, 409}
    facts = hub.http().get("/api/v1/plan/facts", params={"kind": "school"}).json()["facts"]
    assert len({one["name"] for one in facts}) == 1
    assert len(hub.http().get(IMPORTS).json()) == answers.count(200)


def test_what_cannot_be_asked_is_refused_in_words(hub: District):
    assert "say one of" in send(hub, SCHOOLS, kind="stars").json()["what_to_do"]
    assert hub.http().post(f"{IMPORTS}/i-000009/undo").status_code == 409
    assert hub.http().post(IMPORTS).status_code == 422
    assert send(hub, "x" * (LARGEST_IMPORT_BYTES + 1)).status_code == 413
    refused = send(hub, SCHOOLS, replace=True, skip_bad_rows=True, dry_run=False)
    assert refused.status_code == 200  # there is nothing to skip
    assert send(hub, f"{SCHOOLS}s3,\n", replace=True, skip_bad_rows=True, dry_run=False).status_code == 409
