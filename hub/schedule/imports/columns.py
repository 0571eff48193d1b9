"""Columns of the tables that schools fill in, and how their cells are read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hub.schedule.imports import cells
from hub.schedule.imports.cells import Cell
from hub.schedule.imports.mistakes import CellWrong
from hub.schedule.imports.names import Names
from hub.schedule.register.kinds import Kind
from hub.schedule.register.words import words


@dataclass(slots=True)
class Reading:
    """One row while it is read: what its cells may refer to."""

    names: Names
    school: str = ""
    """The row's school; empty where none is said."""
    values: dict[str, Any] = field(default_factory=dict)
    """Cells that were read, by field."""


Reader = Callable[[Cell, Reading], Any]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table."""

    field: str
    zh: str
    en: str
    read: Reader
    example: str | int = ""
    needed: bool = False
    also: tuple[str, ...] = ()
    """Other headers under which people have it."""


def plainly(read: Callable[[Cell], Any]) -> Reader:
    """A reader that looks at its cell alone."""
    return lambda cell, _reading: read(cell)


def between(least: int, most: int) -> Reader:
    """A whole number within bounds."""
    return lambda cell, _reading: cells.integer(cell, least, most)


def named(kind: Kind) -> Reader:
    """What a cell names, of the row's school where it has one."""
    return lambda cell, reading: reading.names.find(kind, cell, reading.school)


def named_anywhere(kind: Kind) -> Reader:
    """What a cell names, of whichever school."""
    return lambda cell, reading: reading.names.find(kind, cell)


NOBODY = frozenset({"无", "不需要", "none", "nobody"})
"""Where an empty cell leaves something open, this says that nobody is meant."""


def several_named(kind: Kind) -> Reader:
    """What a cell names, one or several, of the row's school where it has one; or nobody."""

    def read(cell: Cell, reading: Reading) -> list[str]:
        if isinstance(cell, str) and cells.plain(cell) in NOBODY:
            return []
        found = [reading.names.find(kind, one, reading.school) for one in cells.several(cell)]
        return list(dict.fromkeys(found))

    return read


def school(cell: Cell, reading: Reading) -> str:
    """The row's school, of which the cells after it speak."""
    reading.school = reading.names.find(Kind.SCHOOL, cell)
    return reading.school


def one_of(choices: Mapping[str, str], expected: str) -> Reader:
    """One of some words; `expected` says which, as in `cells.wrong`."""

    def read(cell: Cell, _reading: Reading) -> str:
        found = choices.get(cells.plain(cells.text(cell)))
        if found is None:
            raise cells.wrong(cell, expected)
        return found

    return read


def monday(cell: Cell, _reading: Reading) -> Any:
    """A date that is a Monday."""
    found = cells.date(cell)
    if found.isoweekday() != 1:
        raise CellWrong(words("cell.no_monday", found=str(found), day=words(f"day.{found.isoweekday()}")))
    return found


MODES = {
    "": "delivery",
    **dict.fromkeys(("专递课堂", "专递", "delivery"), "delivery"),
    **dict.fromkeys(("名师课堂", "名师", "观摩", "master"), "master"),
    **dict.fromkeys(("公开课", "名校网络课堂", "录播课", "点播", "open"), "open"),
}
LESSON_MODES = {name: mode for name, mode in MODES.items() if mode != "open"}
DAY_KINDS = {
    **dict.fromkeys(("放假", "假期", "休息", "off", "holiday"), "off"),
    **dict.fromkeys(("补课", "调休", "调课", "make-up", "makeup"), "make-up"),
    **dict.fromkeys(("不计周", "不计周次", "uncounted"), "uncounted"),
}
"""What a line of the district's calendar says of a date."""

SETTINGS: Mapping[str, tuple[Kind, str]] = {
    "最短重叠分钟": (Kind.RULES, "min_overlap_minutes"),
    "单元差": (Kind.RULES, "unit_gap"),
    "主讲占用上行": (Kind.RULES, "lead_uplink"),
    "听课占用上行": (Kind.RULES, "listen_uplink"),
    "满足一条需求": (Kind.GOALS, "served"),
    "同班再缺一条": (Kind.GOALS, "second_unmet"),
    "薄弱校再缺一条": (Kind.GOALS, "school_unmet"),
    "同共同体": (Kind.GOALS, "community"),
    "差一个单元": (Kind.GOALS, "unit"),
    "足够的分钟": (Kind.GOALS, "full_minutes"),
    "少一分钟": (Kind.GOALS, "minute"),
    "开一节主讲课": (Kind.GOALS, "opened"),
    "改动一条需求": (Kind.GOALS, "kept"),
}
"""What a district's rules and goals are called in a table; their names in the district's file are known as well."""
_SETTING = {cells.plain(name): setting for name, setting in SETTINGS.items()} | {
    setting[1]: setting for setting in SETTINGS.values()
}


def setting(cell: Cell, _reading: Reading) -> tuple[Kind, str]:
    """A rule or a goal: its kind, and its name in the district's file."""
    found = _SETTING.get(cells.plain(cells.text(cell)))
    if found is None:
        raise cells.wrong(cell, "setting", known="、".join(SETTINGS))
    return found


def headers(column: Column) -> tuple[str, ...]:
    """Every header under which a column is found, as they are compared."""
    return tuple(cells.plain(name) for name in (column.zh, column.en, column.field, *column.also))
