"""What was said with the form of `plan_repair_offer`: what happened, or beside which field something is wrong."""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hub.console.plan_repair_offer import DayChoice, Offer
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
from hub.schedule.slots import Slot, Window

MOST_MINUTES = 120
USUAL_MINUTES = 20


class FormWrong(Exception):
    """The form does not say what happened.

    Args:
        field: beside which the words stand.
        key: of the words.
        values: in the words.
    """

    def __init__(self, field: str, key: str, **values: object) -> None:
        super().__init__(key)
        self.field = field
        self.key = key
        self.values = values


@dataclass(frozen=True)
class Said:
    """What was filled in, as it came."""

    who: str = ""
    what: str = ""
    days: tuple[str, ...] = ()
    first: str = ""
    last: str = ""
    slot: tuple[str, str] = ("", "")
    """Day and period."""
    other: tuple[str, str] = ("", "")
    minutes: str = str(USUAL_MINUTES)
    onwards: bool = False


def happened(said: Said, offer: Offer, today: dt.date) -> Disruption:
    """What happened.

    Args:
        said: the form.
        offer: what it offered.
        today: by the district's walls.

    Raises:
        FormWrong: it does not say so.
    """
    if said.onwards and any(day.dates and min(day.dates) <= today for day in offer.days):
        raise FormWrong("onwards", "plan.repair.wrong.onwards")
    return _HAPPENED[offer.kind](said, offer)


def _teacher_sick(said: Said, offer: Offer) -> Disruption:
    return TeacherSick(teacher=_chosen(said.who, offer), windows=_windows(said, offer))


def _room_down(said: Said, offer: Offer) -> Disruption:
    return RoomDown(room=_chosen(said.who, offer), windows=_windows(said, offer))


def _class_swap(said: Said, offer: Offer) -> Disruption:
    who = _chosen(said.who, offer)
    first = _slot(said.slot, offer, "slot")
    second = _slot(said.other, offer, "other") if any(said.other) else None
    if first == second:
        raise FormWrong("other", "plan.repair.wrong.same")
    return ClassSwap(school_class=who, first=first, second=second)


def _substitute(said: Said, offer: Offer) -> Disruption:
    kind, named = _named(said, offer)
    who = _chosen(said.who, offer)
    return Substitute(teacher=who, lesson=named) if kind == "lesson" else Substitute(teacher=who, request=named)


def _school_closed(said: Said, offer: Offer) -> Disruption:
    return SchoolClosed(school=offer.school, windows=_windows(said, offer))


def _uplink_halved(said: Said, offer: Offer) -> Disruption:
    return UplinkHalved(school=offer.school, windows=_windows(said, offer))


def _lesson_extended(said: Said, offer: Offer) -> Disruption:
    _, lesson = _named(said, offer)
    if not (said.minutes.isdecimal() and 1 <= int(said.minutes) <= MOST_MINUTES):
        raise FormWrong("minutes", "plan.repair.wrong.minutes", most=MOST_MINUTES)
    return LessonExtended(lesson=lesson, minutes=int(said.minutes))


def _chosen(who: str, offer: Offer) -> str:
    if not any(who == one.value for _, group in offer.who for one in group):
        raise FormWrong("who", "plan.repair.wrong.who")
    return who


def _named(said: Said, offer: Offer) -> tuple[str, str]:
    if not any(said.what == one.value for _, group in offer.what for one in group):
        raise FormWrong("what", "plan.repair.wrong.what")
    kind, _, named = said.what.partition(":")
    return kind, named


def _windows(said: Said, offer: Offer) -> tuple[Window, ...]:
    if not said.days:
        raise FormWrong("days", "plan.repair.wrong.days")
    days = [_day(number, offer, "days").day for number in said.days]
    if not said.first and not said.last:
        return tuple(Window(day=day) for day in days)
    first = _period(said.first, offer) if said.first else 1
    last = _period(said.last, offer) if said.last else len(offer.bells)
    if last < first:
        raise FormWrong("days", "plan.repair.wrong.periods", first=first, last=last)
    return tuple(Window(day=day, first=first, last=last) for day in days)


def _slot(slot: tuple[str, str], offer: Offer, field: str) -> Slot:
    if not all(slot):
        raise FormWrong(field, "plan.repair.wrong.slot")
    return _day(slot[0], offer, field).day, _period(slot[1], offer, field)


def _day(number: str, offer: Offer, field: str) -> DayChoice:
    found = next((one for one in offer.days if number == str(one.day)), None)
    if found is None:
        raise FormWrong(field, "plan.repair.wrong.day", week=offer.week)
    if not found.dates:
        raise FormWrong(field, "plan.repair.wrong.off", week=offer.week)
    if found.over:
        raise FormWrong(field, "plan.repair.wrong.over")
    return found


def _period(period: str, offer: Offer, field: str = "days") -> int:
    if not (period.isdecimal() and 1 <= int(period) <= len(offer.bells)):
        raise FormWrong(field, "plan.repair.wrong.period", most=len(offer.bells))
    return int(period)


_HAPPENED: Mapping[str, Callable[[Said, Offer], Disruption]] = {
    "teacher-sick": _teacher_sick,
    "room-down": _room_down,
    "class-swap": _class_swap,
    "substitute": _substitute,
    "school-closed": _school_closed,
    "uplink-halved": _uplink_halved,
    "lesson-extended": _lesson_extended,
}
