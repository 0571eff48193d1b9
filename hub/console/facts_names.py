"""What people call the facts that a page names, also those that have no name of their own."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from hub.schedule.imports.proposal import Proposed
from hub.schedule.imports.saying import NAMING
from hub.schedule.register.kinds import Kind
from hub.store.plan_facts import PlanFactTable

DEEPEST = 4
"""From a pin to its request, its class, and the class's school."""
PARTS: Mapping[Kind, tuple[str, ...]] = {
    Kind.REQUEST: ("school_class", "observers", "subject"),
    Kind.LESSON: ("teacher", "subject", "title"),
    Kind.CLASS: ("school", "name"),
    Kind.TEACHER: ("school", "name"),
    Kind.ROOM: ("school", "name"),
}
"""What facts are told by that have no name, or share theirs with those of other schools; others have a `name`."""


class Names:
    """Names by kind and id (`hub.schedule.imports.saying.Called`), looked up a kind at a time.

    Args:
        facts: the hub's.
        coming: changes that are not made yet, and name others of their own.
    """

    def __init__(self, facts: PlanFactTable, coming: Iterable[Proposed] = ()) -> None:
        self._facts = facts
        self._coming = {(one.kind, one.id): one.after or one.before or "{}" for one in coming}
        self._known: dict[tuple[Kind, str], dict[str, Any]] = {}

    def of(self, facts: Iterable[Mapping[str, Any]]) -> "Names":
        """With the names of all that some facts lead to."""
        wanted: dict[Kind, set[str]] = {}
        for one in facts:
            _gather(one, wanted)
        return self.with_(wanted)

    def with_(self, wanted: Mapping[Kind, Iterable[str]]) -> "Names":
        """With the names of these, by kind and id."""
        for _ in range(DEEPEST):
            led_to: dict[Kind, set[str]] = {}
            for kind, ids in wanted.items():
                for one in self._read(kind, {one for one in ids if (kind, one) not in self._known}):
                    _gather(one, led_to)
            wanted = led_to
        return self

    def __call__(self, kind: Kind, fact: str) -> str:
        """What one is called; empty where nobody said, or it is not there."""
        data = self._known.get((kind, fact), {})
        if kind not in PARTS:
            return str(data.get("name") or "")
        return " ".join(filter(None, (self._part(name, data.get(name)) for name in PARTS[kind])))

    def _part(self, field: str, value: Any) -> str:
        if not value:
            return ""
        if field not in NAMING:
            return str(value)
        several = value if isinstance(value, list) else [value]
        return ", ".join(self(NAMING[field], one) or one for one in several)

    def _read(self, kind: Kind, ids: set[str]) -> list[dict[str, Any]]:
        found = {one: self._coming[kind, one] for one in ids if (kind, one) in self._coming}
        if len(found) < len(ids):
            found |= {row.id: row.data for row in self._facts.some(kind, ids - found.keys())}
        read = {one: json.loads(data) for one, data in found.items()}
        self._known |= {(kind, one): data for one, data in read.items()}
        return list(read.values())


def _gather(value: Any, wanted: dict[Kind, set[str]]) -> None:
    """Every id that stands in a fact, by the kind of what it names."""
    if isinstance(value, list):
        for one in value:
            _gather(one, wanted)
    elif isinstance(value, dict):
        for field, one in value.items():
            if field in NAMING and one:
                wanted.setdefault(NAMING[field], set()).update(one if isinstance(one, list) else [one])
            else:
                _gather(one, wanted)
