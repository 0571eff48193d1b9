"""What an import would change, before anything is changed."""

from collections import Counter
from dataclasses import dataclass
from typing import NamedTuple

from hub.schedule.imports.mistakes import Mistake, Where
from hub.schedule.register.kinds import Kind


class FieldChange(NamedTuple):
    """One field of a fact."""

    field: str
    before: object
    after: object


@dataclass(frozen=True, slots=True)
class Proposed:
    """One fact, as it is and as it would be."""

    kind: Kind
    id: str
    name: str
    """What people call it; empty where nobody said."""
    before: str | None
    """JSON as it is kept; None where it is not there yet."""
    after: str | None
    """JSON; None where it would be removed."""
    fields: tuple[FieldChange, ...] = ()
    """What changes of a fact that stays."""
    where: Where | None = None
    """The row that says so; None for what is removed."""

    @property
    def what(self) -> str:
        """`added`, `changed` or `removed`."""
        if self.before is None:
            return "added"
        return "removed" if self.after is None else "changed"


@dataclass(frozen=True, slots=True)
class Proposal:
    """A dry run."""

    source: str
    """The names of the files."""
    format: str
    """`table`, `cses`, `ical`, `oneroster`; several with a plus between."""
    changes: tuple[Proposed, ...]
    same: int
    """Facts that the files say just as they are."""
    mistakes: tuple[Mistake, ...]
    notes: tuple[Mistake, ...]
    """What is worth knowing, and keeps nobody from going on."""
    rows: int
    """Rows that were read."""

    def counts(self) -> dict[Kind, dict[str, int]]:
        """By kind: how many are added, changed, removed."""
        counted: dict[Kind, Counter[str]] = {}
        for one in self.changes:
            counted.setdefault(one.kind, Counter())[one.what] += 1
        return {kind: dict(counted[kind]) for kind in Kind if kind in counted}
