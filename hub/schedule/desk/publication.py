"""From a plan to lessons on dates: which weeks it counts for, and what of them is published."""

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from zoneinfo import ZoneInfo

from pydantic import ValidationError
from sqlalchemy import Connection

from hub.schedule.calendars.occurrences import expand
from hub.schedule.calendars.seen import REPLACED, WITHDRAWN
from hub.schedule.desk.drafts import Opened
from hub.schedule.desk.errors import TermUnknown
from hub.schedule.district import told
from hub.schedule.register.kinds import Kind
from hub.schedule.terms import Term
from hub.store.occurrences import Laid, OccurrenceTable, Published
from hub.store.plan_facts import PlanFactTable
from hub.store.plans import PlanHead, PlanTable


def weeks_of(head: PlanHead) -> range:
    """The weeks that a plan is for."""
    return range(head.first_week, head.last_week + 1)


def counting(plans: Sequence[PlanHead]) -> dict[str, list[int]]:
    """For which weeks each plan counts: where two have a week, the one published last.

    Args:
        plans: published ones of one term, the one published last first.
    """
    taken: set[int] = set()
    found: dict[str, list[int]] = {}
    for head in plans:
        found[head.id] = [week for week in weeks_of(head) if week not in taken]
        taken.update(weeks_of(head))
    return found


class Publication:
    """Lets plans count, and lets them count no more.

    Args:
        plans: where plans are kept.
        occurrences: where their lessons are.
        facts: where terms are.
        timezone: of the district's bells.
    """

    def __init__(
        self, plans: PlanTable, occurrences: OccurrenceTable, facts: PlanFactTable, timezone: ZoneInfo
    ) -> None:
        self._plans = plans
        self._occurrences = occurrences
        self._facts = facts
        self._timezone = timezone

    def terms(self) -> list[Term]:
        """Every term that can be read, the latest first."""
        found = []
        for fact in self._facts.all(Kind.TERM):
            try:
                found.append(Term.model_validate_json(fact.data))
            except ValidationError:
                continue  # told where somebody asks for it
        return sorted(found, key=lambda one: one.first_day, reverse=True)

    def term(self, term: str, weeks: Iterable[int] = ()) -> Term:
        """A term that has these weeks.

        Raises:
            TermUnknown: it is not there, cannot be read, or has not all of the weeks.
        """
        fact = self._facts.get(Kind.TERM, term)
        if fact is None:
            raise TermUnknown(f"there is no term {term[:80]}; import its weeks and days off first")
        try:
            found = Term.model_validate_json(fact.data)
        except ValidationError as error:
            raise TermUnknown(f"term {term} cannot be read: {told(error)}") from error
        missing = [week for week in weeks if not 1 <= week <= found.weeks]
        if missing:
            raise TermUnknown(f"term {term} has weeks 1 to {found.weeks}, and no week {missing[0]}")
        return found

    def laid(self, opened: Opened, weeks: Sequence[int]) -> Laid:
        """A plan's lessons of these weeks.

        Raises:
            TermUnknown: the term is not known, or has no such weeks.
            hub.schedule.errors.PlanWrong: the plan names what is not in its district.
        """
        head, book = opened.head, opened.book
        term = self.term(head.term, weeks)
        plan = book.plan
        lessons = expand(term, book.district, plan, weeks, self._timezone) if plan is not None else []
        return Laid(head.id, term.id, weeks, lessons, REPLACED)

    def publish(
        self, laid: Sequence[Laid], now: float, also: Callable[[Connection, Published], object] = lambda *_: None
    ) -> Published:
        """Let plans' lessons count, and write what else is to be written with them; what has begun stays as it was."""
        return self._occurrences.publish(laid, now, also)

    def without(self, head: PlanHead, open_: Callable[[str], Opened]) -> list[Laid]:
        """What counts instead of a plan in its weeks: the lessons of those published before it, or none.

        Args:
            head: a plan that counts.
            open_: opens one of the others.
        """
        weeks = self.counting(head.term).get(head.id, [])
        others = counting([one for one in self._plans.published(head.term) if one.id != head.id])
        found = []
        for other, its in others.items():
            regained = [week for week in its if week in weeks]
            if regained:
                found.append(replace(self.laid(open_(other), regained), words=WITHDRAWN))
        left = [week for week in weeks if not any(week in one.weeks for one in found)]
        return [*found, Laid(head.id, head.term, left, words=WITHDRAWN)]

    def counting(self, term: str) -> dict[str, list[int]]:
        """For which weeks each published plan of a term counts."""
        return counting(self._plans.published(term))

    def spent(self, term: str, now: float) -> list[PlanHead]:
        """Published plans of which no week is left: others count for all that are not past."""
        published = self._plans.published(term)
        counted = counting(published)
        found = self.term(term)
        today = dt.datetime.fromtimestamp(now, self._timezone).date()
        return [
            head
            for head in published
            if len(counted[head.id]) < len(weeks_of(head))
            and all(week > found.weeks or found.date_of(week, 7) < today for week in counted[head.id])
        ]
