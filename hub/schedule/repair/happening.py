"""What happened, in words with names."""

from collections.abc import Sequence

from hub.schedule.repair.disruption import (
    ClassSwap,
    Disruption,
    LessonExtended,
    RoomDown,
    SchoolClosed,
    Substitute,
    TeacherSick,
    UplinkHalved,
)
from hub.schedule.repair.names import Names
from hub.schedule.slots import Window
from hub.schedule.words import Words, listed, slot_words, window_words


def happening_words(what: Disruption, names: Names) -> Words:
    """What happened, to whom and when.

    Args:
        what: it, of the district whose names these are.
        names: looks up what people call its parts.
    """
    match what:
        case TeacherSick():
            who, when = names.teacher(what.teacher), _when(what.windows)
            told = Words(zh=f"{who} 请假（{when.zh}）", en=f"{who} is away ({when.en})")
        case RoomDown():
            who, when = names.room(what.room), _when(what.windows)
            told = Words(zh=f"{who} 停用（{when.zh}）", en=f"{who} is down ({when.en})")
        case SchoolClosed():
            who, when = names.school(what.school), _when(what.windows)
            told = Words(zh=f"{who} 停课（{when.zh}）", en=f"{who} is closed ({when.en})")
        case UplinkHalved():
            who, when = names.school(what.school), _when(what.windows)
            told = Words(zh=f"{who} 上行减半（{when.zh}）", en=f"{who}: uplink halved ({when.en})")
        case ClassSwap():
            told = _swapped(what, names)
        case Substitute():
            told = _stepped_in(what, names)
        case LessonExtended():
            lesson = names.lesson(what.lesson)
            told = Words(zh=f"{lesson.zh}拖堂 {what.minutes} 分钟", en=f"{lesson.en} runs on by {what.minutes} min")
    return told


def _when(windows: Sequence[Window]) -> Words:
    return listed(window_words(one) for one in windows)


def _swapped(what: ClassSwap, names: Names) -> Words:
    who, first = names.school_class(what.school_class), slot_words(what.first)
    if what.second is None:
        return Words(zh=f"{who} {first.zh}不上课", en=f"{who} is away on {first.en}")
    second = slot_words(what.second)
    return Words(zh=f"{who} 调课（{first.zh}与{second.zh}对调）", en=f"{who}: {first.en} swapped with {second.en}")


def _stepped_in(what: Substitute, names: Names) -> Words:
    who = names.teacher(what.teacher)
    if what.lesson is not None:
        lesson = names.lesson(what.lesson)
        return Words(zh=f"{who} 代上 {lesson.zh}", en=f"{who} takes {lesson.en}")
    asked = names.request(what.request or "")
    return Words(zh=f"{who} 代为协助 {asked.zh}", en=f"{who} assists in {asked.en}")
