from collections.abc import Sequence

import pytest

from contract.observation import Observation
from contract.package import Part
from contract.session import Role, RoomOrder, SessionOrder
from hub.insight.chapters import lesson_chapters, plain_title
from hub.insight.packages import RoomPackage
from tests.hub.insight.archive import manifest_of

SESSION = "s-2026-abcd"
LEAD, FAR, THIRD = "room-lead", "room-far", "room-third"


def order(title: str = "勾股定理", seconds: float = 600.0) -> SessionOrder:
    rooms = [(FAR, Role.RECEIVING), (LEAD, Role.LEAD), (THIRD, Role.RECEIVING)]
    return SessionOrder(
        session=SESSION,
        rev=1,
        epoch=1_790_000_000.0,
        seconds=seconds,
        title=title,
        rooms=tuple(RoomOrder(room=room, device=room, role=role) for room, role in rooms),
    )


def slide(t: float, title: object, confidence: object = 0.9) -> Observation:
    value = {"index": 1, "title": title, "title_confidence": confidence}
    return Observation(kind="slide", t=t, mono_ns=0, value=value)


def mark(t: float, title: object = "") -> Observation:
    return Observation(kind="mark", t=t, mono_ns=0, value={"title": title})


def package(room: str, lines: Sequence[Observation], **more: object) -> RoomPackage:
    role = Role.LEAD if room == LEAD else Role.RECEIVING
    return RoomPackage(manifest_of(SESSION, room, role).model_copy(update=more), lines)


def told(*packages: RoomPackage, **more: object) -> list[tuple[float, float, str | None, str]]:
    return [(one.start_s, one.end_s, one.title, one.source.value) for one in lesson_chapters(order(**more), packages)]


def test_slides_of_the_lead_room_cut_and_those_of_the_far_room_do_not():
    lead = package(LEAD, [slide(0, "导入"), slide(100, "面积法"), slide(300, "定理的表述")])
    far = package(FAR, [slide(0, "导入"), slide(200, "本地通知")])
    assert told(far, lead) == [
        (0, 100, "导入", "slide"),
        (100, 300, "面积法", "slide"),
        (300, 600, "定理的表述", "slide"),
    ]


def test_marks_of_every_room_cut_and_where_two_mark_one_step_the_lead_teachers_counts():
    lead = package(LEAD, [slide(0, "导入"), mark(200, "面积法")])
    far = package(FAR, [mark(195, "本地说明"), mark(400, "小组讨论")])
    third = package(THIRD, [mark(404, "讨论"), mark(500, "小结")])
    assert told(third, far, lead) == [
        (0, 200, "导入", "slide"),
        (200, 400, "面积法", "mark"),
        (400, 500, "小组讨论", "mark"),
        (500, 600, "小结", "mark"),
    ]


def test_one_teachers_own_marks_all_count_however_near():
    assert [one[0] for one in told(package(LEAD, [mark(100, "甲"), mark(103, "乙")]))] == [0, 100, 103]


def test_a_lesson_whose_slides_have_no_titles_is_called_after_the_session():
    lead = package(LEAD, [slide(0, None, None), slide(100, "", 0.2), slide(300, 17)])
    assert told(lead) == [(0, 600, "勾股定理", "plan")]
    assert told(lead, title="") == [(0, 600, None, "unknown")]


def test_a_lesson_that_starts_without_a_slide_begins_with_the_session():
    assert told(package(LEAD, [slide(90, "面积法")])) == [(0, 90, "勾股定理", "plan"), (90, 600, "面积法", "slide")]


def test_without_any_package_there_is_one_chapter_and_nothing_is_made_up():
    assert told() == [(0, 600, "勾股定理", "plan")]


def test_what_stood_before_the_lesson_counts_from_its_beginning_and_what_came_after_its_end_does_not():
    lead = package(LEAD, [slide(-300, "欢迎"), slide(-20, "导入"), slide(300, "面积法"), slide(601, "下节课")])
    assert told(lead) == [(0, 300, "导入", "slide"), (300, 600, "面积法", "slide")]


def test_a_mark_just_before_the_lesson_marks_its_beginning_and_one_long_before_or_after_it_nothing():
    lead = package(LEAD, [mark(-60, "准备"), mark(-4, "导入"), mark(300, "面积法"), mark(601, "下课")])
    assert told(lead) == [(0, 300, "导入", "mark"), (300, 600, "面积法", "mark")]


def test_a_lesson_that_was_ended_early_has_no_chapter_beyond_its_end():
    lead = package(LEAD, [slide(0, "导入"), slide(100, "面积法"), slide(300, "定理的表述")])
    assert told(lead, seconds=200.0) == [(0, 100, "导入", "slide"), (100, 200, "面积法", "slide")]
    assert told(lead, seconds=0.001) == [(0, 0.001, "导入", "slide")]


def test_chapters_stand_beside_their_pictures_when_the_rooms_clock_was_set_in_mid_lesson():
    def at(mono_s: float, t: float, title: str) -> Observation:
        return slide(t, title).model_copy(update={"mono_ns": round(mono_s * 1e9), "boot": "b"})

    part = Part(track="camera", file="camera.mp4", index=0, boot="b", start_mono_ns=0, start_t=0.0, seconds=600.0)
    lines = [at(0, 0.0, "导入"), at(100, 160.0, "面积法"), at(300, 240.0, "定理的表述"), at(420, 360.0, "例题讲解")]
    assert [one[0] for one in told(package(LEAD, lines, parts=(part,)))] == [0, 100, 300, 420]


def test_slides_that_came_up_while_nothing_was_recorded_cut_in_the_gap():
    def at(mono_s: float, title: str) -> Observation:
        return slide(mono_s, title).model_copy(update={"mono_ns": round(mono_s * 1e9), "boot": "b"})

    def part(index: int, start: float, seconds: float) -> Part:
        file = f"camera.{index}.mp4"
        start_mono_ns = round(start * 1e9)
        return Part(
            track="camera",
            file=file,
            index=index,
            boot="b",
            start_mono_ns=start_mono_ns,
            start_t=start,
            seconds=seconds,
        )

    lead = package(
        LEAD, [at(0, "导入"), at(220, "面积法"), at(400, "小结")], parts=(part(0, 0, 200), part(1, 250, 350))
    )
    assert [one[0] for one in told(lead)] == [0, 220, 400]


@pytest.mark.parametrize("odd", [None, "0.4", float("nan"), 7, -1, True, []])
def test_a_confidence_that_is_none_is_unknown(odd: object):
    (one,) = lesson_chapters(order(), [package(LEAD, [slide(0, "导入", odd)])])
    assert one.confidence is None


def test_titles_are_one_line_that_can_be_seen():
    assert plain_title("a" * 300) == "a" * 200
    assert plain_title("面积\u202e法\t一") == "面积法 一"
    assert plain_title({"title": 1}) == ""
    assert told(package(LEAD, [mark(0, "\x00甲\n乙")]))[0][2] == "甲 乙"
