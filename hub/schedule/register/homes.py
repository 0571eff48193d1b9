"""Which school a fact belongs to, also where it does not name one itself."""

import json
from collections.abc import Mapping
from typing import Any

from hub.schedule.register.kinds import Kind

_NAMES = (
    ("school", Kind.SCHOOL),
    ("school_class", Kind.CLASS),
    ("teacher", Kind.TEACHER),
    ("request", Kind.REQUEST),
    ("lesson", Kind.LESSON),
)
"""Fields that lead to a school, the nearest first."""


class Homes:
    """Looks schools up.

    Args:
        known: facts as JSON, by kind and id.
    """

    def __init__(self, known: Mapping[tuple[Kind, str], str]) -> None:
        self._known = known

    def of(self, kind: Kind, data: str) -> str:
        """The school of a fact; empty for the district's own, and where what it names is not there."""
        fact: dict[str, Any] = json.loads(data)
        if kind is Kind.SCHOOL:
            return str(fact["id"])
        if kind is Kind.CLOSURE:
            return self._named(Kind(fact["of"]), fact.get("who")) if fact["of"] != "district" else ""
        for field, of in _NAMES:
            if fact.get(field):
                return self._named(of, fact[field])
        observers = fact.get("observers") or ()
        return self._named(Kind.TEACHER, observers[0]) if observers else ""

    def _named(self, kind: Kind, fact: object) -> str:
        if kind is Kind.SCHOOL:
            return str(fact or "")
        data = self._known.get((kind, str(fact)))
        return self.of(kind, data) if data is not None else ""
