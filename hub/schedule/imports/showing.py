"""A dry run as people and programs are shown it."""

import json
from typing import Any

from hub.schedule.imports.mistakes import Mistake
from hub.schedule.imports.proposal import FieldChange, Proposal, Proposed
from hub.schedule.register.words import words

LONGEST_VALUE = 60
"""Characters of a value that a line shows."""


def shown(proposal: Proposal, language: str) -> dict[str, Any]:
    """For programs: all of it, sentences in the reader's language."""
    return {
        "source": proposal.source,
        "format": proposal.format,
        "rows": proposal.rows,
        "same": proposal.same,
        "counts": {str(kind): counts for kind, counts in proposal.counts().items()},
        "changes": [_change(one) for one in proposal.changes],
        "mistakes": [_mistake(one, language) for one in proposal.mistakes],
        "notes": [_mistake(one, language) for one in proposal.notes],
    }


def change_line(one: Proposed, language: str) -> str:
    """For people: one change in a line."""
    kind = words(f"kind.{one.kind}").told(language)
    name = f" {one.name}" if one.name else ""
    sign = {"added": "+", "changed": "~", "removed": "-"}[one.what]
    fields = ", ".join(f"{each.field}: {_short(each.before)} → {_short(each.after)}" for each in one.fields)
    return f"{sign} {kind} {one.id}{name}{': ' if fields else ''}{fields}"


def _change(one: Proposed) -> dict[str, Any]:
    return {
        "what": one.what,
        "kind": str(one.kind),
        "id": one.id,
        "name": one.name,
        "fields": [_field(each) for each in one.fields],
        "after": json.loads(one.after) if one.after is not None else None,
    }


def _field(one: FieldChange) -> dict[str, Any]:
    return {"field": one.field, "before": one.before, "after": one.after}


def _mistake(one: Mistake, language: str) -> dict[str, Any]:
    return {
        "file": one.where.file,
        "sheet": one.where.sheet,
        "row": one.where.row,
        "column": one.where.column,
        "key": one.what.key,
        "words": one.told(language),
    }


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"
