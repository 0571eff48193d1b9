"""The report of one lesson: from the timelines of its rooms' packages to JSON."""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from itertools import pairwise
from typing import Any

from contract.clock import ClockRecord
from contract.observation import Observation
from contract.session import RoomOrder, SessionOrder
from hub.archive import times
from hub.insight.accuracy import HIDDEN, accuracy_json, widened
from hub.insight.packages import RoomPackage
from hub.insight.reading import moment, number, words
from hub.insight.room import board, marks, people, seats, slides, sound
from hub.insight.shares import room_shares
from hub.store.chapters import ChapterRow
from measures.lesson import CLOCK_S, LessonMeasures, RoomMeasures, measure_lesson
from measures.voices import Role, RoomVoices, Span, Voice

VERSION = 1
"""Of the report's JSON."""
UNKNOWN_CLOCK_S = 2.0
"""Error of a clock of which nothing is known, in seconds."""
LEAST_S = 1.0
"""A shorter lesson, in seconds, is none."""
CADENCES_MOST = 200
"""More changes of cadence, or gaps, than these are not listed for one room."""


class Standing(StrEnum):
    """What there is to report of a lesson."""

    CALLED_OFF = "called-off"
    """The session was called off."""
    NOT_OBSERVED = "not-observed"
    """The session's policy has observing off: nothing is told, whatever a package may hold."""
    NOT_ENDED = "not-ended"
    """It is still to come, or runs."""
    EMPTY = "empty"
    """It ended as it began: no time to measure."""
    NOTHING = "nothing"
    """No room's package is in the archive."""
    PART = "part"
    """Some rooms' packages are missing."""
    WHOLE = "whole"
    """Every room's package is here."""

    @property
    def tells(self) -> bool:
        """Whether there are figures to show."""
        return self in {Standing.PART, Standing.WHOLE}

    @property
    def silent(self) -> bool:
        """Whether nothing is told whatever the archive holds, so that it need not be looked at."""
        return not self.tells and self is not Standing.NOTHING


def voices_of(lines: Iterable[Observation]) -> list[Span]:
    """The spans of a timeline's `voice` observations, in order of time; words that are no voice are left out."""
    known = {one.value: one for one in Voice}
    spans = [
        Span(line.t, line.seconds, known[word], line.confidence)
        for line in lines
        if line.kind == "voice" and isinstance(word := line.value.get("voice"), str) and word in known
    ]
    return sorted(spans, key=lambda one: one.start_s)


def clock_error_s(record: ClockRecord) -> float:
    """Bound of the error of a room's clock over the lesson, in seconds."""
    errors = [one.error_ns / 1e9 for one in record.segments]
    return max(errors, default=UNKNOWN_CLOCK_S)


def standing(order: SessionOrder, packages: Sequence[RoomPackage], now: float | None = None) -> Standing:
    """What there is to report.

    Args:
        order: the session as it was last ordered.
        packages: of its rooms.
        now: seconds of hub UTC; None where it does not matter whether the lesson is over.
    """
    if order.cancelled:
        return Standing.CALLED_OFF
    if not order.policy.observe:
        return Standing.NOT_OBSERVED
    if now is not None and now < order.ends:
        return Standing.NOT_ENDED
    if order.seconds < LEAST_S:
        return Standing.EMPTY
    here = {one.manifest.room for one in packages}
    missing = sum(one.room not in here for one in order.classrooms)
    if missing == len(order.classrooms):
        return Standing.NOTHING
    return Standing.PART if missing else Standing.WHOLE


def lesson_report(
    order: SessionOrder,
    packages: Sequence[RoomPackage],
    chapters: Sequence[ChapterRow] = (),
    *,
    now: float | None = None,
) -> dict[str, Any]:
    """The report of a lesson as what JSON knows.

    A room of the session whose package is not here is in the report with nothing known of it; one in which teachers
    watch is not in it. Two rooms' clocks err against each other by at most the sum of the two largest errors.

    Args:
        order: the session as it was last ordered.
        packages: of its rooms, in any order; others are left out.
        chapters: of the lesson.
        now: seconds of hub UTC, to say that a lesson is not over; None where that does not matter.
    """
    what = standing(order, packages, now)
    kept = packages if what.tells else ()
    rooms = order.classrooms
    here = {one.manifest.room: one for one in kept if one.manifest.session == order.session}
    own = [here[room.room] for room in rooms if room.room in here]
    errors = sorted(clock_error_s(one.manifest.clock) for one in own)
    voices = [RoomVoices(room.room, Role(room.role.value), voices_of(_lines(here.get(room.room)))) for room in rooms]
    between = sum(errors[-2:]) if len(errors) > 1 else 0.0
    measures = measure_lesson(voices, 0.0, order.seconds, clock_error_s=between)
    return {
        "version": VERSION,
        "session": order.session,
        "standing": what.value,
        "title": order.title,
        "mode": order.mode.value,
        "epoch": order.epoch,
        "seconds": order.seconds,
        "clock_error_s": round(between, 6),
        "rooms": [
            _room(room, here.get(room.room), order.seconds, measures, measured)
            for room, measured in zip(rooms, measures.rooms, strict=True)
        ],
        "chapters": [_chapter(one) for one in chapters] if what.tells else [],
        "measures": measures.to_json(),
        "st_interval": _st_interval(measures),
        "accuracy": accuracy_json(),
        "hidden": list(HIDDEN),
    }


def _lines(package: RoomPackage | None) -> Sequence[Observation]:
    """A package's observations; none where the room itself was told not to observe."""
    return package.lines if package is not None and package.manifest.policy.observe else ()


def _beside_pictures(package: RoomPackage | None, lines: Sequence[Observation]) -> list[Observation]:
    """Slides and marks at the moments at which a player shows them, as the chapters that are made of them."""
    if package is None:
        return []
    return [
        one.model_copy(update={"t": times.moment(one, package.manifest)})
        for one in lines
        if one.kind in {"slide", "mark"}
    ]


def _room(
    room: RoomOrder, package: RoomPackage | None, seconds: float, measures: LessonMeasures, measured: RoomMeasures
) -> dict[str, Any]:
    """What is told of one room besides its voices."""
    lines = _lines(package)
    shown = _beside_pictures(package, lines)
    return {
        "room": room.room,
        "role": room.role.value,
        "name": room.name,
        "school": room.school,
        "package": package is not None,
        "observations": len(lines),
        "unreadable": package.unreadable if package else 0,
        "clock": _clock(package),
        "cadence": _cadence(lines, seconds),
        "gaps": _gaps(package, seconds),
        "people": people(lines, seconds),
        "seats": seats(lines, seconds),
        "board": board(lines, seconds),
        "sound": sound(lines, seconds),
        "slides": slides(shown, seconds),
        "marks": marks(shown, seconds),
        **room_shares(measures, measured),
    }


def _chapter(one: ChapterRow) -> dict[str, Any]:
    return {
        "t": moment(one.start),
        "seconds": moment(one.seconds),
        "title": one.title,
        "source": one.source,
        "confidence": None if one.confidence is None else round(one.confidence, 4),
    }


def _st_interval(measures: LessonMeasures) -> dict[str, dict[str, float] | None]:
    """Between what Rt and Ch may lie; None where they are unknown."""
    return {
        name: widened(figure.value, figure.count or 0, name) if isinstance(figure.value, float) else None
        for name, figure in (("rt", measures.st.rt), ("ch", measures.st.ch))
    }


def _clock(package: RoomPackage | None) -> dict[str, Any]:
    """How well the room's clock was known, and the steps that its map made, in seconds."""
    if package is None:
        return {"source": None, "error_s": None, "steps": []}
    record = package.manifest.clock
    jumps = [(after.there_ns - before.at(after.mono_ns)) / 1e9 for before, after in pairwise(record.segments)]
    return {
        "source": record.source,
        "error_s": round(clock_error_s(record), 6),
        "steps": [round(one, 3) for one in jumps if abs(one) > CLOCK_S][:CADENCES_MOST],
    }


def _cadence(lines: Sequence[Observation], seconds: float) -> list[dict[str, Any]]:
    """What was looked at how often from when on: the numbers of the `cadence` lines, in seconds; null is not at all."""
    told = sorted((one for one in lines if one.kind == "cadence" and one.t < seconds), key=lambda one: one.t)
    return [
        {
            "t": moment(one.t),
            "every_s": {key: number(every, 0, 1e6) for key, every in one.value.items() if key.endswith("_s")},
            "level": words(one.value.get("level")),
            "why": words(one.value.get("why")),
        }
        for one in told[:CADENCES_MOST]
    ]


def _gaps(package: RoomPackage | None, seconds: float) -> list[dict[str, Any]]:
    """Stretches of the lesson that a track of the recording does not hold."""
    told = sorted(package.manifest.gaps, key=lambda one: one.start_t) if package else []
    return [
        {"track": one.track, "t": moment(start), "seconds": moment(end - start), "why": one.why}
        for one in told[:CADENCES_MOST]
        if (end := min(one.end_t, seconds)) > (start := max(one.start_t, 0.0))
    ]
