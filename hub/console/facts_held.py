"""Dry runs that somebody looks at: kept until they are made real, and made real as they were shown, or not at all."""

import secrets
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace

from hub.schedule.errors import ScheduleRefused
from hub.schedule.imports.errors import FactsMoved
from hub.schedule.imports.importing import Importing
from hub.schedule.imports.proposal import Proposal
from hub.schedule.imports.reading import Brought, Wanted
from hub.store.plan_facts import PlanFactTable

HELD_MOST = 8
HELD_BYTES_MOST = 192 << 20
"""Of all dry runs together; where another one makes it more, the oldest are let go."""
CHANGE_BYTES = 2000
"""About what one proposed change takes in memory."""


class DryRunGone(ScheduleRefused):
    """A dry run is not kept any more; the file is sent again."""


@dataclass(frozen=True)
class DryRun:
    """What one file would change."""

    id: str
    operator: str
    files: Sequence[Brought]
    wanted: Wanted
    proposal: Proposal
    as_of: str
    """The newest import when the facts were read; empty for none."""
    moved: bool = False
    """Whether it took the place of one that facts had changed under."""

    @property
    def size(self) -> int:
        """About what it takes in memory, in bytes."""
        return sum(len(one.data) for one in self.files) + CHANGE_BYTES * len(self.proposal.changes)


class DryRuns:
    """The dry runs of one hub, each for the operator who asked for it. Thread-safe; forgotten with the process.

    Args:
        facts: the hub's.
        importing: works them out and makes them real.
    """

    def __init__(self, facts: PlanFactTable, importing: Importing) -> None:
        self._facts = facts
        self._importing = importing
        self._held: dict[str, DryRun] = {}
        self._made: dict[str, str] = {}
        """By dry run, the newest last: the import that it became."""
        self._lock = threading.RLock()

    def show(self, files: Sequence[Brought], wanted: Wanted, operator: str) -> DryRun:
        """Work out what files would change, and keep it."""
        return self._kept(self._worked_out(secrets.token_hex(8), files, wanted, operator))

    def get(self, dry_run: str, operator: str) -> DryRun:
        """One that the operator asked for.

        Raises:
            DryRunGone: it is not kept, or somebody else's.
        """
        with self._lock:
            found = self._held.get(dry_run)
        if found is None or found.operator != operator:
            raise DryRunGone("this dry run is not kept any more; send the file again")
        return found

    def drop(self, dry_run: str, operator: str) -> None:
        """Let one go; nothing where it is gone already."""
        with self._lock:
            if dry_run in self._held and self._held[dry_run].operator == operator:
                del self._held[dry_run]

    def make_real(self, dry_run: str, operator: str, now: float, *, skip_bad_rows: bool) -> str:
        """Change what was shown, and nothing else; the import's id. Asked for twice, it is made once.

        Raises:
            DryRunGone: it is not kept.
            ImportRefused: mistakes stand in the way.
            FactsMoved: with the facts as they are now it would change something else; that is kept under the same id.
        """
        with self._lock:
            if dry_run in self._made:
                return self._made[dry_run]
            held = self.get(dry_run, operator)
            if held.as_of != self._facts.newest():
                held = self._again(held)
                if held.moved:
                    raise FactsMoved("the facts changed meanwhile; look again at what would change")
            try:
                record = self._importing.apply(
                    held.proposal, operator, now, skip_bad_rows=skip_bad_rows, replaced=held.wanted.replace
                )
            except FactsMoved:
                self._again(held)
                raise
            del self._held[dry_run]
            self._made[dry_run] = record.id if record is not None else ""
            while len(self._made) > HELD_MOST:
                del self._made[next(iter(self._made))]
            return self._made[dry_run]

    def _again(self, before: DryRun) -> DryRun:
        """The same files with the facts as they are now."""
        made = self._worked_out(before.id, before.files, before.wanted, before.operator)
        old, new = before.proposal, made.proposal
        moved = (old.changes, old.mistakes) != (new.changes, new.mistakes)
        return self._kept(replace(made, moved=moved))

    def _worked_out(self, dry_run: str, files: Sequence[Brought], wanted: Wanted, operator: str) -> DryRun:
        as_of = self._facts.newest()  # before the facts are read: what comes between is seen as a change
        return DryRun(dry_run, operator, files, wanted, self._importing.dry_run(files, wanted), as_of)

    def _kept(self, made: DryRun) -> DryRun:
        with self._lock:
            self._held.pop(made.id, None)
            self._held[made.id] = made
            while len(self._held) > 1 and (
                len(self._held) > HELD_MOST or sum(one.size for one in self._held.values()) > HELD_BYTES_MOST
            ):
                del self._held[next(iter(self._held))]
        return made
