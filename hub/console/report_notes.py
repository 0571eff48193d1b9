"""What the report says of rooms and recording, a sentence each."""

from collections.abc import Mapping
from typing import Any

from hub.console.texts import Texts
from hub.console.words import span

NOTES_MOST = 60
"""More sentences are in the data."""
EVERY = ("speech_s", "people_s", "slides_s", "board_s")
"""Of what is told how often it was sampled."""


def notes(report: Mapping[str, Any], t: Texts) -> list[str]:
    """Gaps of the recording, clocks that stepped, timelines that could not be read, changes of what was sampled."""
    out = []
    for room in report["rooms"]:
        out += _of_room(room, room["name"] or room["room"], t)
    if report["clock_error_s"]:
        out.append(t("report.note.clock", seconds=f"{report['clock_error_s']:.3g}"))
    if len(out) > NOTES_MOST:
        return [*out[:NOTES_MOST], t("report.note.more", count=len(out) - NOTES_MOST)]
    return out


def _of_room(room: Mapping[str, Any], name: str, t: Texts) -> list[str]:
    out = []
    for gap in room["gaps"]:
        key = f"lesson.track.{gap['track']}"
        track = t(key) if t.has(key) else gap["track"]
        start, end = span(gap["t"]), span(gap["t"] + gap["seconds"])
        out.append(t("report.note.gap", room=name, start=start, end=end, track=track))
    if room["unreadable"]:
        out.append(t("report.note.unreadable", room=name, count=room["unreadable"]))
    steps = room["clock"]["steps"]
    if steps:
        out.append(t("report.note.step", room=name, count=len(steps), seconds=f"{max(map(abs, steps)):g}"))
    if room["clock"]["source"] == "wall":
        out.append(t("report.note.wall", room=name))
    for one in room["cadence"][1:]:
        every = t("report.comma").join(_every(one["every_s"], t))
        out.append(t("report.note.cadence", room=name, at=span(one["t"]), every=every))
    return out


def _every(told: Mapping[str, float | None], t: Texts) -> list[str]:
    out = []
    for key in EVERY:
        if key in told:
            what, seconds = t(f"report.sampled.{key}"), told[key]
            if seconds is None:
                out.append(t("report.sampled.off", what=what))
            else:
                out.append(t("report.sampled.value", what=what, seconds=f"{seconds:g}"))
    return out
