from pathlib import Path

import pytest

from contract.observation import Observation
from contract.package import MANIFEST
from hub.archive.refusals import Unfit
from hub.archive.store import PackageId
from hub.insight.packages import LINE_BYTES, observations_of, room_packages
from tests.hub.insight.archive import archived, manifest_of

SESSION = "s-maths-1"


def line(**changes: object) -> bytes:
    told = {"kind": "voice", "t": 1.0, "mono_ns": 0, "seconds": 2.0, "value": {"voice": "teacher"}} | changes
    return Observation(**told).model_dump_json().encode() + b"\n"


def test_packages_come_in_the_order_of_the_rooms_with_what_their_timelines_hold(tmp_path: Path):
    archived(tmp_path / "a", manifest_of(SESSION, "xinhe-2"), line() + line(t=4.0))
    store = archived(tmp_path / "a", manifest_of(SESSION, "shiqiao-1"), line())
    found = room_packages(store, SESSION, ["shiqiao-1", "nobody", "xinhe-2"])
    assert [(one.manifest.room, len(one.lines), one.unreadable) for one in found] == [
        ("shiqiao-1", 1, 0),
        ("xinhe-2", 2, 0),
    ]


def test_a_package_without_a_receipt_is_left_out(tmp_path: Path):
    store = archived(tmp_path / "a", manifest_of(SESSION, "shiqiao-1"), line(), complete=False)
    assert room_packages(store, SESSION, ["shiqiao-1"]) == []


def test_a_package_that_was_deleted_is_left_out_though_its_receipt_stays(tmp_path: Path):
    store = archived(tmp_path / "a", manifest_of(SESSION, "shiqiao-1"), line())
    store.delete(PackageId(SESSION, "shiqiao-1"), "its day had come", 5.0)
    assert store.receipt(PackageId(SESSION, "shiqiao-1")) is not None
    assert room_packages(store, SESSION, ["shiqiao-1"]) == []


def test_a_package_without_a_timeline_is_here_and_says_nothing(tmp_path: Path):
    store = archived(tmp_path / "a", manifest_of(SESSION, "shiqiao-1"), None)
    (found,) = room_packages(store, SESSION, ["shiqiao-1"])
    assert (list(found.lines), found.unreadable) == ([], 0)


def test_a_manifest_that_rotted_on_the_disk_leaves_the_room_out_and_the_others_in(tmp_path: Path):
    archived(tmp_path / "a", manifest_of(SESSION, "shiqiao-1"), line())
    store = archived(tmp_path / "a", manifest_of(SESSION, "xinhe-2"), line())
    (tmp_path / "a" / SESSION / "shiqiao-1" / MANIFEST).write_bytes(b"{\0\0")
    assert [one.manifest.room for one in room_packages(store, SESSION, ["shiqiao-1", "xinhe-2"])] == ["xinhe-2"]


def test_a_name_that_is_a_path_is_refused(tmp_path: Path):
    store = archived(tmp_path / "a", manifest_of(SESSION, "shiqiao-1"), line())
    with pytest.raises(Unfit):
        room_packages(store, SESSION, ["../incoming"])


def test_torn_lines_and_lines_that_fill_the_disk_are_counted_and_the_rest_is_read(tmp_path: Path):
    long = b"x" * (3 * LINE_BYTES) + b"\n"
    torn = line()[:40]
    store = archived(
        tmp_path / "a", manifest_of(SESSION, "shiqiao-1"), line() + long + b"\xff\xfe\n" + line(t=9.0) + torn
    )
    (found,) = room_packages(store, SESSION, ["shiqiao-1"])
    assert ([one.t for one in found.lines], found.unreadable) == ([1.0, 9.0], 3)


def test_times_that_are_none_make_no_observation():
    good = line().decode().strip()
    absurd = [good.replace('"t":1.0', f'"t":{t}') for t in ("NaN", "Infinity", "-Infinity", "1e300", "-1e9")] + [
        good.replace('"seconds":2.0', f'"seconds":{s}') for s in ("NaN", "Infinity", "-1.0", "1e300")
    ]
    found, wrong = observations_of(one.encode() for one in [good, *absurd])
    assert (len(found), wrong) == (1, len(absurd))


def test_a_hundred_thousand_lines_are_read(tmp_path: Path):
    store = archived(tmp_path / "a", manifest_of(SESSION, "shiqiao-1"), line() * 100_000)
    (found,) = room_packages(store, SESSION, ["shiqiao-1"])
    assert len(found.lines) == 100_000
