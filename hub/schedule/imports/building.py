"""Gathers what files say, whatever their format, and holds it against what is known."""

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from hub.schedule.imports.mistakes import Mistake, Where
from hub.schedule.imports.names import Names
from hub.schedule.imports.proposal import FieldChange, Proposal, Proposed
from hub.schedule.register.homes import Homes
from hub.schedule.register.kinds import MODELS, Fact, Kind, written
from hub.schedule.register.register import FactRow
from hub.schedule.register.words import Unfit, Words, words


@dataclass(frozen=True, slots=True)
class Draft:
    """What a file says of one fact."""

    kind: Kind
    id: str
    values: Mapping[str, Any]
    """Fields that the file has; None puts a field back to what it is by default. Others stay as they are."""
    where: Where
    columns: Mapping[str, str] = field(default_factory=dict)
    """The header under which each field stands."""
    places: Mapping[str, Where] = field(default_factory=dict)
    """Of several rows that make up one fact: the one that says each date."""


class Building:
    """One import while its files are read.

    Args:
        known: every fact as it is kept.
    """

    def __init__(self, known: Iterable[FactRow]) -> None:
        self.names = Names()
        self.mistakes: list[Mistake] = []
        self.notes: list[Mistake] = []
        self.rows = 0
        self.formats: list[str] = []
        self.known: dict[tuple[Kind, str], str] = {}
        self._drafts: dict[tuple[Kind, str], Draft] = {}
        self._afters: dict[tuple[Kind, str], str] = {}
        """What each draft comes to, as it is kept."""
        self._covering: set[Kind] = set()
        for row in known:
            try:
                kind = Kind(row.kind)
            except ValueError:  # a newer hub's
                continue
            self.known[kind, row.id] = row.data
            data = json.loads(row.data)
            self.names.add(kind, row.id, str(data.get("name") or ""), str(data.get("school") or ""))

    def mistake(self, where: Where, what: Words) -> None:
        """Something is wrong."""
        self.mistakes.append(Mistake(where, what))

    def note(self, where: Where, what: Words) -> None:
        """Something is worth knowing."""
        self.notes.append(Mistake(where, what))

    def value(self, kind: Kind, fact: str, name: str) -> Any:
        """One field of a fact, as this import or what is known has it; None where nobody said."""
        draft = self._drafts.get((kind, fact))
        if draft is not None and name in draft.values:
            return draft.values[name]
        data = self.known.get((kind, fact))
        return json.loads(data).get(name) if data is not None else None

    def days_off_with(self, term: str, dates: Mapping[dt.date, str]) -> list[dict[str, Any]]:
        """The days off of a term and further ones, with words for each; what is made up on stays as it is."""
        known = self.value(Kind.TERM, term, "days_off") or []
        make_ups = self.value(Kind.TERM, term, "make_ups") or []
        there = {str(one["date"]) for one in (*known, *make_ups)}
        fresh = [{"date": date, "words": said} for date, said in sorted(dates.items()) if str(date) not in there]
        return [*known, *fresh]

    def models(self, kind: Kind) -> list[Fact]:
        """Every fact of a kind as it will be, those of this import with it."""
        there = {fact: data for (of, fact), data in self.known.items() if of is kind}
        there |= {fact: data for (of, fact), data in self._afters.items() if of is kind}
        found = []
        for data in there.values():
            with suppress(ValidationError):  # told where a district is made of it
                found.append(MODELS[kind].model_validate_json(data))
        return found

    def drafted(self, kind: Kind, fact: str) -> bool:
        """Whether this import says something of a fact already."""
        return (kind, fact) in self._drafts

    def covers(self, kind: Kind) -> None:
        """The files have all facts of this kind of the schools that they name: with `replace`, others of them go."""
        self._covering.add(kind)

    def add(self, draft: Draft) -> bool:
        """Take a draft, unless it is the second of its kind and id, or cannot be; then that is told.

        Returns:
            Whether it was taken.
        """
        key = (draft.kind, draft.id)
        if (first := self._drafts.get(key)) is not None:
            there = words("cell.place", file=first.where.file, sheet=first.where.sheet or "-", row=first.where.row)
            self.mistake(draft.where, words("row.twice", kind=words(f"kind.{draft.kind}"), id=draft.id, there=there))
            return False
        if not self._holds(draft):
            return False
        self._drafts[key] = draft
        name, school = draft.values.get("name"), draft.values.get("school")
        self.names.add(draft.kind, draft.id, str(name or ""), str(school or ""))
        return True

    def change(self, draft: Draft) -> None:
        """Add to what this import says of a fact, or begin with it."""
        before = self._drafts.get((draft.kind, draft.id))
        if before is not None:
            draft = Draft(
                draft.kind,
                draft.id,
                {**before.values, **draft.values},
                draft.where,
                {**before.columns, **draft.columns},
                {**before.places, **draft.places},
            )
        if self._holds(draft):
            self._drafts[draft.kind, draft.id] = draft

    def proposal(self, source: str, *, replace: bool) -> Proposal:
        """What all of it comes to."""
        changes = []
        same = 0
        for draft in sorted(self._drafts.values(), key=lambda one: (_ORDER[one.kind], one.id)):
            before = self.known.get((draft.kind, draft.id))
            after = self._afters[draft.kind, draft.id]
            if before is not None and json.loads(before) == json.loads(after):
                same += 1
                continue
            changes.append(_proposed(draft, before, after))
        if replace:
            changes += self._removed()
        return Proposal(
            source=source,
            format="+".join(dict.fromkeys(self.formats)),
            changes=tuple(changes),
            same=same,
            mistakes=tuple(self.mistakes),
            notes=tuple(self.notes),
            rows=self.rows,
        )

    def _merged(self, draft: Draft) -> dict[str, Any]:
        before = json.loads(self.known.get((draft.kind, draft.id), "{}"))
        merged = {**before, **draft.values, "id": draft.id}
        return {name: value for name, value in merged.items() if value is not None}

    def _after(self, draft: Draft) -> str:
        return written(MODELS[draft.kind].model_validate(self._merged(draft)))

    def _holds(self, draft: Draft) -> bool:
        try:
            self._afters[draft.kind, draft.id] = self._after(draft)
        except ValidationError as error:
            for one in error.errors(include_url=False)[:3]:
                at = str(one["loc"][0]) if one["loc"] else ""
                column = draft.columns.get(at, at)
                why = _why(one)
                date = str(why.values.get("date")) if isinstance(why, Words) else ""
                where = Where(draft.where.file, draft.where.sheet, draft.where.row, column)
                self.mistake(draft.places.get(date, where), words("row.model", why=why))
            return False
        return True

    def _removed(self) -> list[Proposed]:
        there = {**self.known, **self._afters}
        homes = Homes(there)
        named = {(kind, homes.of(kind, there[kind, fact])) for kind, fact in self._drafts}
        gone = [
            Proposed(kind, fact, _called(json.loads(data)), data, None)
            for (kind, fact), data in self.known.items()
            if kind in self._covering
            and (kind, fact) not in self._drafts
            and (kind is Kind.SCHOOL or (kind, homes.of(kind, data)) in named)
        ]
        return sorted(gone, key=lambda one: (-_ORDER[one.kind], one.id))


def _why(one: ErrorDetails) -> Words | str:
    """What a model says is wrong; what is none of our own sentences stays in English."""
    context = one.get("ctx", {})
    raised = context.get("error")
    if isinstance(raised, Unfit):
        return raised.what
    if one["type"] in {"greater_than_equal", "less_than_equal"}:
        return words(f"model.{one['type']}", **context)
    return one["msg"].removeprefix("Value error, ")


_ORDER = {kind: number for number, kind in enumerate(Kind)}


def _proposed(draft: Draft, before: str | None, after: str) -> Proposed:
    old: dict[str, Any] = json.loads(before) if before is not None else {}
    new: dict[str, Any] = json.loads(after)
    fields = tuple(
        FieldChange(name, old.get(name), new.get(name))
        for name in dict.fromkeys([*new, *old])
        if before is not None and old.get(name) != new.get(name)
    )
    return Proposed(draft.kind, draft.id, _called(new), before, after, fields, draft.where)


def _called(found: Mapping[str, Any]) -> str:
    return str(found.get("name") or found.get("title") or "")
