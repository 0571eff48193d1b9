"""How many facts of each kind there are, school by school; counted once after each import."""

import json
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hub.schedule.register.homes import Homes
from hub.schedule.register.kinds import Kind
from hub.store.plan_facts import PlanFactTable

OF_SCHOOLS = (
    Kind.BELLS,
    Kind.ROOM,
    Kind.TEACHER,
    Kind.CLASS,
    Kind.TIMETABLE,
    Kind.LESSON,
    Kind.REQUEST,
    Kind.PROGRESS,
    Kind.PIN,
    Kind.BAN,
    Kind.WISH,
    Kind.CLOSURE,
    Kind.LIMIT,
)
"""Kinds of which a school has its own."""
_KINDS = frozenset(Kind)


@dataclass(frozen=True)
class SchoolLine:
    """One school."""

    id: str
    name: str
    community: str
    counts: Mapping[Kind, int]


@dataclass(frozen=True)
class Tally:
    """What there is, as of one import."""

    as_of: str
    counts: Mapping[Kind, int]
    schools: tuple[SchoolLine, ...]


class Tallies:
    """Counts, and keeps the count until the facts change. Thread-safe."""

    def __init__(self, facts: PlanFactTable) -> None:
        self._facts = facts
        self._lock = threading.Lock()
        self._last = Tally("?", {}, ())

    def now(self) -> Tally:
        """The count of the facts as they are."""
        with self._lock:
            newest = self._facts.newest()
            if newest != self._last.as_of:
                self._last = self._counted(newest)
            return self._last

    def _counted(self, as_of: str) -> Tally:
        known = {(Kind(row.kind), row.id): row for row in self._facts.everything() if row.kind in _KINDS}
        homes = Homes({key: row.data for key, row in known.items()})
        counts = Counter(kind for kind, _ in known)
        by_school: dict[str, Counter[Kind]] = {}
        for (kind, _), row in known.items():
            school = row.school or homes.of(kind, row.data)
            by_school.setdefault(school, Counter())[kind] += 1
        lines = [
            _line(row.id, json.loads(row.data), by_school.get(row.id, {}))
            for (kind, _), row in known.items()
            if kind is Kind.SCHOOL
        ]
        return Tally(as_of, counts, tuple(sorted(lines, key=lambda one: (one.community, one.name, one.id))))


def _line(school: str, data: Mapping[str, Any], counts: Mapping[Kind, int]) -> SchoolLine:
    return SchoolLine(school, str(data.get("name") or school), str(data.get("community") or ""), counts)
