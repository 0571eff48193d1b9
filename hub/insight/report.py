"""The report of one lesson: from the timelines of its rooms' packages to JSON."""

from collections.abc import Iterable, Sequence
from typing import Any

from contract.clock import ClockRecord
from contract.observation import Observation
from contract.session import RoomOrder, SessionOrder
from hub.insight.packages import RoomPackage
from measures.lesson import measure_lesson
from measures.people import INTERVAL_S, Count, Sample, typical_count
from measures.slides import SlideShown, slide_stretches
from measures.voices import Role, RoomVoices, Span, Voice

VERSION = 1
"""Of the report's JSON."""
UNKNOWN_CLOCK_S = 2.0
"""Error of a clock of which nothing is known, in seconds."""


def voices_of(lines: Iterable[Observation]) -> list[Span]:
    """The spans of a timeline's `voice` observations, in order of time; words that are no voice are left out."""
    known = set(Voice)
    spans = [
        Span(line.t, line.seconds, Voice(line.value["voice"]), line.confidence)
        for line in lines
        if line.kind == "voice" and line.value.get("voice") in known
    ]
    return sorted(spans, key=lambda one: one.start_s)


def clock_error_s(record: ClockRecord) -> float:
    """Bound of the error of a room's clock over the lesson, in seconds."""
    errors = [one.error_ns / 1e9 for one in record.segments]
    return max(errors, default=UNKNOWN_CLOCK_S)


def lesson_report(order: SessionOrder, packages: Sequence[RoomPackage]) -> dict[str, Any]:
    """The report of a lesson as what JSON knows.

    A room of the session whose package is not here is in the report with nothing known of it. Two rooms' clocks err
    against each other by at most the sum of the two largest errors.

    Args:
        order: the session as it was last ordered.
        packages: of its rooms, in any order; others are left out.
    """
    here = {one.manifest.room: one for one in packages if one.manifest.session == order.session}
    own = [here[room.room] for room in order.rooms if room.room in here]
    errors = sorted(clock_error_s(one.manifest.clock) for one in own)
    voices = [
        RoomVoices(room.room, Role(room.role.value), voices_of(here[room.room].lines) if room.room in here else ())
        for room in order.rooms
    ]
    between = sum(errors[-2:]) if len(errors) > 1 else 0.0
    return {
        "version": VERSION,
        "session": order.session,
        "title": order.title,
        "epoch": order.epoch,
        "seconds": order.seconds,
        "clock_error_s": round(between, 6),
        "rooms": [_room(room, here.get(room.room), order.seconds) for room in order.rooms],
        "measures": measure_lesson(voices, 0.0, order.seconds, clock_error_s=between).to_json(),
    }


def _room(room: RoomOrder, package: RoomPackage | None, seconds: float) -> dict[str, Any]:
    """What is told of one room besides its voices."""
    lines = package.lines if package else ()
    return {
        "room": room.room,
        "role": room.role.value,
        "name": room.name,
        "school": room.school,
        "package": package is not None,
        "observations": len(lines),
        "unreadable": package.unreadable if package else 0,
        "people": _people(lines, seconds),
        "slides": _slides(lines, seconds),
        "chapters": [
            {"t": one.t, "title": _text(one, "title"), "source": _text(one, "source"), "confidence": one.confidence}
            for one in sorted(lines, key=lambda one: one.t)
            if one.kind == "chapter"
        ],
    }


def _people(lines: Sequence[Observation], seconds: float) -> dict[str, Any]:
    samples = [Sample(one.t, one.value.get("count")) for one in lines if one.kind == "people" and 0 <= one.t < seconds]
    told = [one.value.get("people_s") for one in lines if one.kind == "cadence"]
    interval = max((float(one) for one in told if one), default=INTERVAL_S)
    count = typical_count(samples, 0.0, seconds, interval) if samples else Count(None, 0.0, interval)
    return {"median": count.median, "coverage": round(count.coverage, 4), "interval_s": count.interval_s}


def _slides(lines: Sequence[Observation], seconds: float) -> list[dict[str, Any]]:
    seen = sorted((one for one in lines if one.kind == "slide" and 0 <= one.t < seconds), key=lambda one: one.t)
    stood = slide_stretches([SlideShown(one.t, int(one.value.get("index", 0))) for one in seen], seconds)
    return [
        {
            "t": stretch.start_s,
            "seconds": round(stretch.seconds, 3),
            "index": stretch.index,
            "title": _text(one, "title"),
        }
        for one, stretch in zip(seen, stood, strict=True)
    ]


def _text(line: Observation, key: str) -> str:
    """A text of an observation; empty where there is none."""
    found = line.value.get(key)
    return found if isinstance(found, str) else ""
