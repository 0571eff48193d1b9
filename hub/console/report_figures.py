"""The report's tables: each figure as words, with what is known of it, or why it is unknown."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hub.console.texts import Texts
from hub.console.words import span
from hub.insight.accuracy import beside
from measures.figure import Reason
from measures.st import class_type

Told = Mapping[str, Any]
"""A figure as the report's JSON tells it."""

LESSON: Sequence[tuple[str, str]] = (
    ("talk.teachers", "talk"),
    ("talk.lead_teacher", "talk"),
    ("talk.pupils", ""),
    ("talk.several", ""),
    ("talk.far_rooms", ""),
    ("talk.far_of_pupils", ""),
    ("talk.silence", ""),
    ("turns.exchanges", ""),
    ("turns.monologue", ""),
    ("answers.far_share", ""),
    ("waits.first.median", ""),
    ("waits.first.longest", ""),
    ("waits.first.long_share", ""),
    ("waits.second.median", ""),
    ("st.rt", "rt"),
    ("st.ch", "ch"),
    ("st.type", ""),
    ("fias.steady", ""),
    ("fias.taken_up", ""),
)
"""Figures of the whole lesson, and the measured error that stands beside each (`hub.insight.accuracy`)."""
IN_SHARES = ("lead_teacher", "several")
"""Of `talk`, these lie among the shares of the parties."""
ROOM: Sequence[tuple[str, str]] = (
    ("talk.teacher", "frames"),
    ("talk.student", "frames"),
    ("talk.several", "frames"),
    ("talk.silence", "frames"),
    ("teacher_of_talk", "talk"),
    ("by_room", ""),
    ("teacher.number", ""),
    ("teacher.longest", ""),
    ("pupils.number", ""),
    ("pupils.longest", ""),
    ("answers", "answers"),
    ("chorus", ""),
    ("wait", ""),
    ("longest_wait", ""),
    ("people", "people"),
    ("board.share", ""),
    ("board.spread", ""),
    ("board.travelled", ""),
    ("board.patrols", ""),
    ("sound", ""),
    ("clipped", ""),
)
"""Figures of each room, and the measured error that stands beside them."""
SPLIT = ("talk.teacher", "talk.student", "teacher_of_talk")
"""They need the room's own teacher to be told from its pupils."""
AMONG_ROOMS = ("talk.teachers", "by_room")
"""They set rooms, or their teachers, beside each other."""
COLUMNS = 4
"""Rooms side by side in one table, so that it fits on paper."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One figure in words."""

    value: str
    under: str = ""
    """What is known of it, or why it is unknown."""
    reason: str = ""
    """Of those that are unknown."""

    @property
    def known(self) -> bool:
        """Whether it has a value."""
        return not self.reason


@dataclass(frozen=True, slots=True)
class LessonRow:
    """One figure of the whole lesson."""

    label: str
    cell: Cell
    sampled: str
    error: str


@dataclass(frozen=True, slots=True)
class RoomRow:
    """One figure of several rooms."""

    label: str
    cells: Sequence[Cell]
    sampled: str
    error: str


@dataclass(frozen=True, slots=True)
class RoomTable:
    """Several rooms side by side."""

    rooms: Sequence[Told]
    unsure: Sequence[bool]
    """Whether each may hold what came out of its loudspeaker."""
    rows: Sequence[RoomRow]

    @property
    def cells(self) -> Iterable[Cell]:
        """All of them."""
        return (cell for row in self.rows for cell in row.cells)


def lesson_rows(report: Told, t: Texts) -> list[LessonRow]:
    """The figures of the whole lesson."""
    rows = []
    for name, about in LESSON:
        figure = _of_lesson(report, name)
        if _of_others(name, report) or figure.get("reason") == Reason.NO_ROOM:
            continue  # nobody asks how a class took part that there is not
        between = report["st_interval"].get(name.removeprefix("st."))
        cell = _cell(figure if between is None else {**figure, **between}, t)
        if name == "turns.monologue" and (at := report["measures"]["turns"]["monologue_at_s"]) is not None:
            cell = Cell(cell.value, f"{t('report.at', at=span(at))} · {cell.under}")
        if name == "st.type" and cell.known and unsure_type(report):
            cell = Cell(cell.value, f"{t('report.type_unsure')} · {cell.under}")
        rows.append(LessonRow(t(f"report.figure.{name}"), cell, _sampled([figure], t), error_words(about, t)))
    return rows


def unsure_type(report: Told) -> bool:
    """Whether what Rt and Ch may be reaches over a limit between two types."""
    rt, ch = report["st_interval"]["rt"], report["st_interval"]["ch"]
    corners = {class_type(rt[one], ch[other]) for one in ("low", "high") for other in ("low", "high")}
    return len(corners) > 1


def room_tables(report: Told, t: Texts) -> list[RoomTable]:
    """The figures room by room, `COLUMNS` rooms a table."""
    measured = report["measures"]["rooms"]
    both = list(zip(report["rooms"], measured, strict=True))
    return [_room_table(report, both[at : at + COLUMNS], t) for at in range(0, len(both), COLUMNS)]


def _room_table(report: Told, rooms: Sequence[tuple[Told, Told]], t: Texts) -> RoomTable:
    rows = []
    for name, about in ROOM:
        if _of_others(name, report):
            continue
        figures = [_of_room(report, room, measured, name) for room, measured in rooms]
        cells = [
            _room_cell(name, figure, room, measured, t) for figure, (room, measured) in zip(figures, rooms, strict=True)
        ]
        rows.append(RoomRow(t(f"report.room.{name}"), cells, _sampled(figures, t), error_words(about, t)))
    unsure = [not measured["told_apart"] and measured["coverage"] > 0 for _, measured in rooms]
    return RoomTable([room for room, _ in rooms], unsure, rows)


def _of_others(name: str, report: Told) -> bool:
    """Whether a figure says nothing of a lesson of one room."""
    return name in AMONG_ROOMS and len(report["rooms"]) == 1


def _of_lesson(report: Told, name: str) -> Told:
    found = report["measures"]
    for part in name.split("."):
        found = found["share"][part] if part in IN_SHARES else found[part]
    told: Told = found
    return told


def _of_room(report: Told, room: Told, measured: Told, name: str) -> Told:
    """A room's figure, as a mapping with `value` or a reason."""
    first, _, rest = name.partition(".")
    found: Told
    if first == "talk":
        found = measured["talk"]["share"][rest]
    elif first == "teacher_of_talk":
        found = measured["talk"]["teacher_of_talk"]
    elif first == "by_room":
        talk = report["measures"]["talk"]
        found = talk["by_room"].get(room["room"]) or {**talk["far_rooms"], "value": None, "reason": "coverage"}
    elif first == "people":
        found = {**room["people"], "value": room["people"]["median"]}
    elif first == "board":
        found = {**room["board"], "value": room["board"][rest], "unit": "share"}
    elif first in {"sound", "clipped"}:
        told = {"sound": "median_dbfs", "clipped": "clipped_share"}[first]
        found = {**room["sound"], "value": room["sound"][told], "unit": "share"}
    else:
        found = room[first][rest] if rest else room[first]
    if name in SPLIT and not measured["teacher_known"]:
        return {**found, "value": None, "reason": "voices"}
    if found["value"] is None and "reason" not in found:
        return {**found, "reason": "none-seen"}
    return found


def _room_cell(name: str, figure: Told, room: Told, measured: Told, t: Texts) -> Cell:
    if figure["value"] is None:
        return _cell(figure, t)
    special = SPECIAL.get(name)
    if special is not None:
        return Cell(special(figure, t), _known(figure, t))
    cell = _cell(figure, t)
    if name.startswith("talk."):
        seconds = measured["talk"]["seconds"][name.removeprefix("talk.")]["value"]
        return Cell(f"{span(seconds)} · {cell.value}", cell.under)
    if name == "people":
        low, high = room["people"]["low"], room["people"]["high"]
        return Cell(cell.value, t("report.people_between", low=f"{low:g}", high=f"{high:g}") + " · " + cell.under)
    return cell


SPECIAL: Mapping[str, Callable[[Told, Texts], str]] = {
    "board.patrols": lambda one, t: t("report.times_for", number=one["value"], length=span(one["patrol_s"])),
    "board.travelled": lambda one, t: t("report.board_widths", number=f"{one['value']:.1f}"),
    "sound": lambda one, t: t("report.dbfs", number=f"{one['value']:.0f}"),
}
"""Figures with words of their own."""


def _cell(figure: Told, t: Texts) -> Cell:
    if figure["value"] is None:
        reason = figure.get("reason", "coverage")
        return Cell(t("report.unknown"), t(f"report.why.{reason}"), reason)
    return Cell(value_words(figure["value"], figure["unit"], t), _known(figure, t))


def _known(figure: Told, t: Texts) -> str:
    """What is known of a figure: between what it may lie, of how many, of how much of the time."""
    said = []
    if figure.get("low") is not None and figure.get("high") is not None and figure["unit"] != "count":
        low, high = (value_words(figure[edge], figure["unit"], t) for edge in ("low", "high"))
        said.append(t("report.between", low=low, high=high))
    if figure.get("count") is not None and figure["unit"] not in {"count", "type"}:
        said.append(t("report.events", count=figure["count"]))
    said.append(t("report.known", percent=percent(figure["coverage"])))
    return " · ".join(said)


def whys(cells: Iterable[Cell], t: Texts) -> list[tuple[str, str]]:
    """Why cells are unknown, each reason once: as the cells say it in short, and at length."""
    reasons = dict.fromkeys(one.reason for one in cells if one.reason)
    told = [(t(f"report.why.{one}"), t(f"report.reason.{one}")) for one in reasons]
    return [(short, long) for short, long in told if short != long]


def value_words(value: float | str, unit: str, t: Texts) -> str:
    """A value in words."""
    if isinstance(value, str):
        return t(f"report.type.{value}")
    if unit == "share":
        return t("report.percent", number=f"{100 * value:.1f}")
    if unit == "s":
        return t("report.s", seconds=f"{value:.1f}") if value < 60 else span(value)
    if unit == "per-minute":
        return t("report.per_minute", number=f"{value:.1f}")
    return f"{value:g}"


def percent(share: float) -> str:
    """A share in whole percent; one that is not quite all of it is not called all of it.

    >>> percent(0.999), percent(1.0), percent(0.004)
    ('99', '100', '1')
    """
    return str(100 if share >= 1 else min(99, max(1, round(100 * share))) if share > 0 else 0)


def error_words(about: str, t: Texts) -> str:
    """The measured error that stands beside a figure."""
    found = beside(about)
    if found is None:
        return t("report.error.none")
    mean = measured_words(found.mean, found.unit, t)
    if found.worst is None:
        return t(f"report.error.{found.unit}_mean", mean=mean)
    return t(f"report.error.{found.unit}", mean=mean, worst=measured_words(found.worst, found.unit, t))


def measured_words(error: float, unit: str, t: Texts) -> str:
    """A measured error in words: what a share is off by in points, else in percent."""
    number = f"{100 * error:.1f}"
    return t("report.points", number=number) if unit == "off" else t("report.percent", number=number)


def _sampled(figures: Sequence[Told], t: Texts) -> str:
    every = sorted({one["interval_s"] for one in figures})
    return t("report.s", seconds="–".join(f"{one:g}" for one in dict.fromkeys((every[0], every[-1]))))
