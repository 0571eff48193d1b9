"""A dry run as its page shows it: changes and mistakes line by line, with names, some at a time."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from hub.console.texts import Texts
from hub.schedule.imports.mistakes import Mistake
from hub.schedule.imports.proposal import Proposed
from hub.schedule.imports.saying import NAMING, Called, difference, field_told, value_told
from hub.schedule.register.kinds import Kind
from hub.schedule.register.words import words
from hub.store.plan_facts import PlanFactTable

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


def change_lines(changes: Iterable[Proposed], called: Called, t: Texts) -> list[ChangeLine]:
    """Changes in words."""
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


def names_for(shown: Iterable[Proposed], every: Iterable[Proposed], facts: PlanFactTable) -> Called:
    """What people call the facts that some changes name: as the same import says, else as they are kept."""
    wanted: dict[Kind, set[str]] = {}
    for one in shown:
        for data in filter(None, (one.before, one.after)):
            gather(json.loads(data), wanted)
    return names_of(wanted, facts, {(one.kind, one.id): one.name for one in every if one.name})


def names_of(
    wanted: Mapping[Kind, Iterable[str]], facts: PlanFactTable, known: Mapping[tuple[Kind, str], str] | None = None
) -> Called:
    """What people call some facts; those of `known` are not looked up."""
    names = dict(known or {})
    for kind, ids in wanted.items():
        unknown = {one for one in ids if (kind, one) not in names}
        for row in facts.some(kind, unknown) if unknown else ():
            data = json.loads(row.data)
            names[kind, row.id] = str(data.get("name") or data.get("title") or "")
    return lambda kind, fact: names.get((kind, fact), "")


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


def gather(value: Any, wanted: dict[Kind, set[str]]) -> None:
    """Every id that stands in a fact, by the kind of what it names."""
    if isinstance(value, list):
        for one in value:
            gather(one, wanted)
    elif isinstance(value, dict):
        for field, one in value.items():
            if field in NAMING and one:
                wanted.setdefault(NAMING[field], set()).update(one if isinstance(one, list) else [one])
            else:
                gather(one, wanted)
