"""Imports: a dry run first, then all of it at once, and back with one command.

A proposal is worked out from the files and from the facts as of one moment, and nothing is written meanwhile: whoever
stops here, or is stopped, has changed nothing. Applying is one transaction that holds only while every fact that it
touches still is as the proposal saw it; of two at once, the later one is told to look again.
"""

from collections.abc import Mapping, Sequence

from hub.schedule.imports.errors import FactsMoved, ImportRefused
from hub.schedule.imports.proposal import Proposal
from hub.schedule.imports.reading import Brought, Wanted, propose
from hub.schedule.register.kinds import Kind
from hub.schedule.register.words import words
from hub.store.plan_facts import FactChange, FactsChanged, ImportRecord, NewImport, PlanFactTable


class Importing:
    """Imports into the facts of one hub. Thread-safe.

    Args:
        facts: the hub's.
        language: in which an import's own words are kept.
    """

    def __init__(self, facts: PlanFactTable, language: str = "zh") -> None:
        self._facts = facts
        self._language = language

    def dry_run(self, files: Sequence[Brought], wanted: Wanted) -> Proposal:
        """What the files would change; nothing is changed."""
        return propose(files, self._facts.everything(), wanted)

    def apply(
        self, proposal: Proposal, operator: str, now: float, *, skip_bad_rows: bool = False, replaced: bool = False
    ) -> ImportRecord | None:
        """Make a proposal's changes as one import.

        Args:
            proposal: of `dry_run`.
            operator: who asks for it.
            now: in seconds of hub UTC.
            skip_bad_rows: whether to go on without the rows that have mistakes.
            replaced: whether the proposal removes what the files do not have.

        Returns:
            The import; None where there is nothing to change.

        Raises:
            ImportRefused: there are mistakes and they are not to be skipped.
            FactsMoved: facts have changed since the dry run.
        """
        if proposal.mistakes and not skip_bad_rows:
            raise ImportRefused(f"mistakes stand in the way, {len(proposal.mistakes)} of them; nothing was changed")
        if proposal.mistakes and replaced:
            raise ImportRefused(
                "rows with mistakes cannot be skipped while what the files do not have is removed: "
                "the facts of those rows would be removed, too"
            )
        if not proposal.changes:
            return None
        changes = [FactChange(one.kind, one.id, one.before, one.after) for one in proposal.changes]
        new = NewImport(operator, proposal.source, proposal.format, summary(proposal.counts(), self._language), now)
        try:
            return self._facts.apply(new, changes)
        except FactsChanged as error:
            raise FactsMoved(str(error)) from error


def summary(counts: Mapping[Kind, Mapping[str, int]] | Mapping[str, Mapping[str, int]], language: str) -> str:
    """What a proposal or an import changes, in a line: `教师 +12 ~3；班级 +40`."""
    signs = {"added": "+", "changed": "~", "removed": "-"}
    parts = []
    for kind in Kind:
        if kind in counts:
            counted = " ".join(f"{signs[what]}{counts[kind][what]}" for what in signs if what in counts[kind])
            parts.append(f"{words(f'kind.{kind}').told(language)} {counted}")
    return ("；" if language == "zh" else "; ").join(parts)
