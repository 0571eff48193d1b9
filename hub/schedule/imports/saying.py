"""Facts in words: what a field is called, what stands in it, why an import cannot be taken back."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hub.schedule.imports.cells import EQUIPMENT
from hub.schedule.imports.columns import SETTINGS
from hub.schedule.imports.tables import TABLES
from hub.schedule.register.assembling import NAMES
from hub.schedule.register.kinds import Kind
from hub.schedule.register.words import Words, catalogue, words
from hub.store.plan_facts import UndoRefused

Called = Callable[[Kind, str], str]
"""What people call a fact; empty where nobody said."""

NAMING: Mapping[str, Kind] = {
    **NAMES,
    "observers": Kind.TEACHER,
    "assistants": Kind.TEACHER,
}
"""Fields that hold the id of another fact, or several."""
_FIELDS: Mapping[tuple[Kind, str], Mapping[str, str]] = {
    **{(table.kind, one.field): {"zh": one.zh, "en": one.en} for table in TABLES for one in table.columns},
    **{(kind, name): {"zh": zh, "en": name} for zh, (kind, name) in SETTINGS.items()},
}
_EQUIPMENT = {tag: name for name, tag in reversed(list(EQUIPMENT.items()))}
_WORDED = {"weeks", "mode", "of"}
"""Fields that hold one of a few words of ours."""
NAMED_MOST = 5
"""Imports that a sentence names."""


def field_told(kind: Kind, field: str, language: str) -> str:
    """What people call a field: its column's header, or the name of the setting."""
    found = _FIELDS.get((kind, field))
    return found[language] if found is not None else catalogue(language)[f"field.{field}"]


def value_told(field: str, value: Any, language: str, called: Called) -> str:
    """What stands in a field, as people write it in a table."""
    if value is None or isinstance(value, bool):
        return words({None: "value.open", True: "value.yes", False: "value.no"}[value]).told(language)
    if field == "time":
        return _slot(value, language)
    if isinstance(value, list):
        return words("value.between").told(language).join(_one(field, one, language, called) for one in value)
    return _one(field, value, language, called)


def difference(field: str, before: Any, after: Any, language: str, called: Called) -> tuple[str, str]:
    """A field before and after; of two lists what is in one alone, where they have something in common."""
    if isinstance(before, list) and isinstance(after, list) and field != "time":
        both = [one for one in before if one in after]
        if both:
            before = [one for one in before if one not in both]
            after = [one for one in after if one not in both]
    told = [value_told(field, one, language, called) if one != [] else "–" for one in (before, after)]
    return told[0], told[1]


def why_not(refused: UndoRefused, called: Called = lambda _kind, _fact: "") -> Words:
    """Why an import cannot be taken back, for whoever is to do something about it."""
    if not refused.later:
        return words(f"undo.{refused.why}", id=refused.made)
    named = [
        words("undo.later", id=later, kind=words(f"kind.{kind}"), fact=called(kind, fact) or fact)
        for later, (kind, fact) in _known(refused)[:NAMED_MOST]
    ]
    told = named[-1]
    for one in reversed(named[:-1]):
        told = words("undo.and", one=one, others=told)
    if len(refused.later) > NAMED_MOST:
        told = words("undo.more", told=told, count=len(refused.later) - NAMED_MOST)
    return words(f"undo.{refused.why}", id=refused.made, later=told)


def _known(refused: UndoRefused) -> list[tuple[str, tuple[Kind, str]]]:
    return [(later, (Kind(kind), fact)) for later, (kind, fact) in refused.later.items()]


def _one(field: str, value: Any, language: str, called: Called) -> str:
    """One value, or one of a list."""
    if field == "times":
        return _slot(value, language)
    if isinstance(value, dict):
        return _entry(value, language, called)
    if field in NAMING:
        name = called(NAMING[field], str(value))
        return f"{name} ({value})" if name else str(value)
    if field in {"day", "as_day"} or (field in _WORDED and isinstance(value, str)):
        return words(f"day.{value}" if field not in _WORDED else f"value.{field}.{value}").told(language)
    if field in {"equipment", "needs"} and language == "zh":
        return str(_EQUIPMENT.get(value, value))
    return str(value)


def _slot(slot: Sequence[int], language: str) -> str:
    return words("value.slot", day=words(f"day.{slot[0]}"), period=slot[1]).told(language)


def _entry(one: Mapping[str, Any], language: str, called: Called) -> str:
    """A line of a list inside of a fact: a bell, a period of a timetable, a day off."""
    rest = {name: value for name, value in one.items() if value not in (None, "", "AB")}
    parts = []
    if {"begins", "ends"} <= rest.keys():
        parts.append(f"{rest.pop('begins')}–{rest.pop('ends')}")
    if {"day", "period"} <= rest.keys():
        parts.append(_slot((rest.pop("day"), rest.pop("period")), language))
    return " ".join([*parts, *(value_told(name, value, language, called) for name, value in rest.items())])
