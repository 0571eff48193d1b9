"""A dry run as its page shows it: changes and mistakes line by line, with names, some at a time."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from hub.console.facts_names import Names
from hub.console.texts import Texts
from hub.schedule.imports.mistakes import Mistake
from hub.schedule.imports.proposal import Proposed
from hub.schedule.imports.saying import Called, difference, field_told, value_told
from hub.schedule.register.words import words

KINDS_OF_CHANGE = {"added": "ok", "changed": "info", "removed": "bad"}
"""Shape and colour; the word stands beside them always."""
_NOT_AGAIN = {"id", "name"}
"""Fields that stand in the line's own heading."""


@dataclass(frozen=True)
class FieldLine:
    """One field of a fact."""

    name: str
    before: str
    """Empty where the fact is new or gone."""
    after: str


@dataclass(frozen=True)
class ChangeLine:
    """One fact that would be changed."""

    what: str
    kind: str
    id: str
    name: str
    row: int
    fields: tuple[FieldLine, ...]


@dataclass(frozen=True)
class MistakeLine:
    """One mistake, or note, and where it is."""

    sheet: str
    row: int
    column: str
    words: str


def change_lines(changes: Sequence[Proposed], names: Names, t: Texts) -> list[ChangeLine]:
    """Changes in words."""
    called = names.of(json.loads(data) for one in changes for data in (one.before, one.after) if data is not None)
    return [
        ChangeLine(
            one.what,
            words(f"kind.{one.kind}").told(t.language),
            one.id,
            one.name,
            one.where.row if one.where is not None else 0,
            tuple(_fields(one, called, t.language)),
        )
        for one in changes
    ]


def mistake_lines(mistakes: Iterable[Mistake], language: str) -> list[MistakeLine]:
    """Mistakes in words."""
    return [MistakeLine(one.where.sheet, one.where.row, one.where.column, one.what.told(language)) for one in mistakes]


def _fields(one: Proposed, called: Called, language: str) -> Iterable[FieldLine]:
    if one.what == "changed":
        for field, before, after in one.fields:
            told = difference(field, before, after, language, called)
            yield FieldLine(field_told(one.kind, field, language), *told)
        return
    data: dict[str, Any] = json.loads(one.after or one.before or "{}")
    for field, value in data.items():
        if field not in _NOT_AGAIN:
            yield FieldLine(field_told(one.kind, field, language), "", value_told(field, value, language, called))
