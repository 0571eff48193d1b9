"""What happened to a plan, what was decided, and what follows from it, as pages tell it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from hub.console.texts import Texts
from hub.schedule.calendars.occurrences import Kind, Occurrence
from hub.schedule.calendars.seen import place, topic
from hub.schedule.district import District
from hub.schedule.repair.alternative import Whom
from hub.schedule.repair.names import Names
from hub.schedule.repair.repairs import Outcome, RepairHead
from hub.schedule.words import Words
from hub.store.occurrences import OccurrenceRecord

FOLLOWED_MOST = 60
"""Lessons on dates that a page lists: a repair of one week changes fewer, one that lasts has more."""


@dataclass(frozen=True)
class Standing:
    """What became of a repair."""

    key: str
    """Of its word."""
    kind: str
    """Shape and colour."""


OPEN, STALE = Standing("open", "warn"), Standing("stale", "off")
TAKEN, LEFT, NOBODY = Standing("taken", "ok"), Standing("left", "off"), Standing("nobody", "info")


def standing(repair: RepairHead, *, takeable: bool) -> Standing:
    """Where it stands; `takeable` says whether the plan is still the one that was repaired."""
    if repair.record.taken is not None:
        return TAKEN
    if repair.nobody_hit:
        return NOBODY
    if repair.record.closed is not None:
        return LEFT
    return OPEN if takeable else STALE


@dataclass(frozen=True)
class Line:
    """One repair in a list."""

    repair: RepairHead
    what: str
    standing: Standing


def said_of(words: Words, t: Texts) -> str:
    """In the reader's language."""
    return words.zh if t.language == "zh" else words.en


def told(repair: RepairHead, t: Texts) -> str:
    """What happened, with names, and in which week."""
    week = t("plan.repair.from_week" if repair.new.onwards else "plan.repair.in_week", week=repair.new.week)
    return t("plan.repair.told", week=week, what=said_of(repair.words, t))


def named(whom: Iterable[Whom], district: District, t: Texts) -> list[tuple[str, list[tuple[Whom, str]]]]:
    """Schools, teachers, classes and rooms with their names, each kind under its label.

    Args:
        whom: they, by their ids.
        district: has the names.
        t: the reader's language.
    """
    names = Names(district)
    called: Mapping[str, Callable[[str], str]] = {
        Kind.SCHOOL: names.school,
        Kind.TEACHER: names.teacher,
        Kind.CLASS: names.school_class,
        Kind.ROOM: names.room,
    }
    labels = {
        Kind.SCHOOL: t("plan.repair.schools"),
        Kind.TEACHER: t("plan.teachers"),
        Kind.CLASS: t("plan.classes"),
        Kind.ROOM: t("plan.rooms"),
    }
    every = sorted(set(whom))
    found = [
        (label, [(one, called[kind](one[1])) for one in every if one[0] == kind]) for kind, label in labels.items()
    ]
    return [(label, some) for label, some in found if some]


@dataclass(frozen=True)
class Followed:
    """A lesson on a date that a repair changed."""

    how: str
    """added, changed or cancelled."""
    record: OccurrenceRecord
    when: str
    what: str
    where: str


def followed(outcome: Outcome, occurrence: Callable[[str], OccurrenceRecord | None], t: Texts) -> list[Followed]:
    """The lessons on dates that a repair changed, as they stand now, the earliest first.

    Args:
        outcome: what was published.
        occurrence: looks one up.
        t: the reader's language.
    """
    ways = {
        **dict.fromkeys(outcome.added, "added"),
        **dict.fromkeys(outcome.changed, "changed"),
        **dict.fromkeys(outcome.cancelled, "cancelled"),
    }
    found = []
    for one, how in ways.items():
        record = occurrence(one)
        if record is not None:
            lesson = record.occurrence
            when = f"{lesson.date:%m-%d} {lesson.slot.words(t.language)}"
            where = t("plan.comma").join(dict.fromkeys(place(part) for part in lesson.rooms))
            found.append(Followed(how, record, when, _lesson(lesson, t.language), where))
    return sorted(found, key=lambda one: one.record.occurrence.epoch)


def _lesson(lesson: Occurrence, language: str) -> str:
    what = lesson.title or topic(lesson, language)
    teacher = lesson.lead.teacher if lesson.lead is not None else None
    return f"{what} · {teacher.name or teacher.id}" if teacher is not None else what
