"""The desk: everything that may be done with a plan, from a draft to lessons that count."""

from collections.abc import Callable, Sequence

from sqlalchemy import Connection

from hub.schedule.desk.book import Book
from hub.schedule.desk.drafts import Drafts, Opened, Remark, expect
from hub.schedule.desk.edits import Edit, edited, narrows, pared
from hub.schedule.desk.errors import EditRefused, NotAgreed, PlanMoved, SolveRefused, TermUnknown
from hub.schedule.desk.fitting import refitted
from hub.schedule.desk.job import Job
from hub.schedule.desk.publication import Publication
from hub.schedule.desk.solving import Solver, Solving
from hub.schedule.desk.states import PlanState
from hub.schedule.desk.views import NewApproval, NewDraft, NewPublication, NewSolve
from hub.schedule.district import District
from hub.schedule.plan import Plan, fingerprint
from hub.schedule.register.assembling import district_of
from hub.schedule.register.register import Register
from hub.schedule.terms import Term
from hub.store.occurrences import Published
from hub.store.plan_facts import PlanFactTable
from hub.store.plans import DISTRICT, Approval, PlanHead, PlanTable

TOLD_MOST = 3
"""Broken rules, or schools, that a refusal names."""


class Desk:
    """Plans of the district. Synchronous and thread-safe; from asyncio, call it through `asyncio.to_thread`.

    Args:
        table: where plans are kept.
        facts: what the planner knows.
        publication: lets plans count.
        solver: solves drafts in processes of their own.
        seconds: how long a draft is solved where nobody says.
        now: hub UTC in seconds.
        on_change: is told the id of each plan that changed; from any thread.
    """

    def __init__(
        self,
        table: PlanTable,
        facts: PlanFactTable,
        publication: Publication,
        solver: Solver,
        seconds: float,
        now: Callable[[], float],
        on_change: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._table = table
        self._facts = facts
        self._publication = publication
        self._solver = solver
        self.seconds = seconds
        self._now = now
        self._drafts = Drafts(table, now, on_change)
        self._lock = self._drafts.lock

    # What there is.

    def heads(self, term: str | None = None) -> list[PlanHead]:
        """Every plan, or those of a term; the newest first."""
        return self._table.heads(term)

    def head(self, plan: str) -> PlanHead:
        """A plan without its contents.

        Raises:
            PlanUnknown: there is none.
        """
        return self._drafts.head(plan)

    def open(self, plan: str) -> Opened:
        """A plan with its contents.

        Raises:
            PlanUnknown: there is none.
        """
        return self._drafts.open(plan)

    def approvals(self, plan: str) -> dict[str, Approval]:
        """What was said of a plan last, by school; by "" what the district said."""
        return {one.school: one for one in self._table.approvals(plan)}

    def counting(self, term: str) -> dict[str, list[int]]:
        """For which weeks each published plan of a term counts."""
        return self._publication.counting(term)

    def terms(self) -> list[Term]:
        """Every term, the latest first."""
        return self._publication.terms()

    def term(self, term: str) -> Term:
        """A term.

        Raises:
            TermUnknown: it is not there, or cannot be read.
        """
        return self._publication.term(term)

    def solving(self, plan: str) -> Solving | None:
        """How far its solving has come, or how it ended; None where nobody began one since the hub's start."""
        return self._solver.progress(plan)

    # Making it.

    def make(self, new: NewDraft, operator: str) -> Opened:
        """Make a draft of the facts, or of a district as a file.

        Raises:
            TermUnknown: the term is not known, or has no such weeks.
            PlanUnknown: it is to go on from a plan that is not there.
            EditRefused: it is to begin with a plan that breaks a rule.
        """
        if new.last_week < new.first_week:
            raise TermUnknown(f"week {new.last_week} lies before week {new.first_week}; name the first week first")
        term = self._publication.term(new.term, (new.first_week, new.last_week))
        based_on = self._drafts.open(new.based_on) if new.based_on else None
        misfits: tuple[Remark, ...] = ()
        if new.district is not None:
            district = new.district
        else:
            register = Register.read(self._facts.everything())
            made = district_of(register, term, new.first_week, dated=new.first_week == new.last_week)
            district = made.district
            misfits = tuple(Remark(zh=one.told("zh"), en=one.told("en")) for one in made.misfits)
        book = Book(district, None)
        if new.plan is not None:
            book = self._with_plan(district, new.plan, based_on.book.plan if based_on else None)
        now = self._now()
        head = PlanHead(
            id="",
            term=new.term,
            first_week=new.first_week,
            last_week=new.last_week,
            state=PlanState.DRAFT,
            based_on=new.based_on,
            words=new.words.strip(),
            operator=operator,
            created=now,
            changed=now,
        )
        return self._drafts.add(head, book, misfits)

    def edit(self, plan: str, edits: Sequence[Edit], operator: str) -> Opened:
        """Change a draft by hand: all of the edits, or none.

        Where the plan still holds it is counted anew; where it does not, it stays until the draft is solved again.

        Raises:
            EditRefused: an edit names what is not there, or contradicts it.
            PlanMoveRefused: it is no draft.
            SolveRefused: it is being solved.
        """
        with self._lock:
            opened = self._idle_draft(plan)
            district, answer = opened.book.district, opened.book.plan
            bound = answer.bound if answer is not None else None
            for one in edits:
                before, district = district, edited(district, answer, one)
                answer = pared(district, answer) if answer is not None else None
                bound = bound if narrows(before, district, one) else None
            book = refitted(district, answer, self._before(opened.head), bound)
            return self._drafts.keep(opened, book, operator)

    def begin_with(self, plan: str, answer: Plan, operator: str) -> Opened:
        """Have a draft begin with a plan that was made elsewhere.

        Raises:
            EditRefused: it breaks a rule; the words say which.
            PlanMoveRefused, SolveRefused: as `edit`.
        """
        with self._lock:
            opened = self._idle_draft(plan)
            book = self._with_plan(opened.book.district, answer, self._before(opened.head))
            return self._drafts.keep(opened, book, operator)

    # Solving it.

    def solve(self, plan: str, new: NewSolve, operator: str) -> Solving:
        """Begin to solve a draft, going on from the plan that it has.

        Raises:
            PlanMoveRefused: it is no draft.
            SolveRefused: it is being solved, or as many are as may be at a time.
        """
        with self._lock:
            opened = self._idle_draft(plan)
            job = Job(
                district=opened.book.district,
                start=opened.book.plan,
                before=self._before(opened.head),
                seed=new.seed,
                seconds=None if new.work is not None else new.seconds or self.seconds,
                work=new.work,
            )

            def taken(answer: Plan) -> str:
                return self._taken(opened, answer, operator)

            return self._solver.start(plan, job, taken)

    def stop(self, plan: str) -> Solving:
        """Have its solving end with the best plan so far.

        Raises:
            PlanUnknown: there is no such plan.
            SolveRefused: it is not being solved.
        """
        self._drafts.head(plan)
        return self._solver.stop(plan)

    # Agreeing on it.

    def propose(self, plan: str, operator: str) -> Opened:
        """Put a draft to the schools; what they said of it before is forgotten.

        Raises:
            EditRefused: it has no plan, or one that breaks a rule.
            PlanMoveRefused, SolveRefused: as `edit`.
        """
        with self._lock:
            opened = self._idle_draft(plan)
            if opened.book.plan is None:
                raise EditRefused("this draft has no plan yet; solve it first")
            if not opened.book.fits:
                told = "; ".join(one.en for one in opened.book.violations[:TOLD_MOST])
                raise EditRefused(f"the plan does not hold for the draft as it stands; solve it again: {told}")
            self._table.forget_approvals(plan)
            return self._drafts.move(opened, PlanState.PROPOSED, operator)

    def reopen(self, plan: str, operator: str) -> Opened:
        """Take a plan that is before the schools back to work on it; what they said stays until it is put to them anew.

        Raises:
            PlanMoveRefused: it counts already, or is given up.
        """
        with self._lock:
            return self._drafts.move(self._drafts.open(plan), PlanState.DRAFT, operator)

    def note(self, plan: str, said: NewApproval, operator: str) -> Opened:
        """Note what a school says, or last the district; with the district's yes the plan is approved.

        Raises:
            NotAgreed: the school has no part, a refusal has no words, or the district is asked before every school
                said yes.
            PlanMoveRefused: the plan is not before the schools.
        """
        with self._lock:
            opened = self._drafts.open(plan)
            expect(opened.head, PlanState.PROPOSED)
            if said.school != DISTRICT and said.school not in opened.book.taking_part:
                raise NotAgreed(f"school {said.school} has no part in this plan, and is not asked")
            if not said.approved and not said.words.strip():
                raise NotAgreed("say in words why it is refused")
            approves = said.school == DISTRICT and said.approved
            if approves:
                self._expect_all_agree(opened)
            self._table.approve(
                Approval(plan, said.school, said.approved, said.words.strip(), operator, at=self._now())
            )
            return self._drafts.move(opened, PlanState.APPROVED, operator) if approves else opened

    # Letting it count.

    def publish(self, plan: str, new: NewPublication, operator: str) -> Published:
        """Let an approved plan count for its weeks; where another one has a week, this one counts.

        Once more for a plan that counts: its lessons are laid out anew, by the term's days off and make-up days as
        they are now. What has begun stays as it was.

        Raises:
            PlanMoveRefused: it is neither approved nor published.
            TermUnknown: the term is not known, or has no such weeks.
        """
        with self._lock:
            opened = self._drafts.open(plan)
            expect(opened.head, PlanState.APPROVED, PlanState.PUBLISHED)
            if opened.head.state is PlanState.PUBLISHED:
                weeks = self._publication.counting(opened.head.term).get(plan, [])
                return self._publication.publish([self._publication.laid(opened, weeks)], self._now())
            first = opened.head.first_week if new.first_week is None else new.first_week
            last = opened.head.last_week if new.last_week is None else new.last_week
            if last < first:
                raise TermUnknown(f"week {last} lies before week {first}; name the first week first")
            laid = self._publication.laid(opened, range(first, last + 1))
            move = self._drafts.moving(opened, PlanState.PUBLISHED, operator, first_week=first, last_week=last)
            published = self._publication.publish([laid], self._now(), lambda connection, _: move(connection))
            self._counts_now(opened, operator)
            return published

    def adopt(
        self,
        repaired: Opened,
        district: District,
        answer: Plan,
        weeks: range,
        words: str,
        operator: str,
        also: Callable[[Connection, str, Published], object] = lambda *_: None,
    ) -> Published:
        """Let a repair of a plan that counts count in its place for some weeks: the district decides that alone.

        Args:
            repaired: the plan that it goes on from.
            district: the facts as they have become.
            answer: the repaired plan.
            weeks: for which it counts.
            words: what people call it.
            operator: who takes it.
            also: what else is written in the same transaction, told the new plan's id and what it changed; where it
                raises, nothing is.

        Raises:
            EditRefused: it breaks a rule; the words say which.
            TermUnknown: the term has no such weeks.
            PlanMoved: what was repaired counts no more, or is otherwise by now.
        """
        with self._lock:
            counts = self.counting(repaired.head.term).get(repaired.head.id, [])
            if weeks[0] not in counts or self._drafts.head(repaired.head.id) != repaired.head:
                raise PlanMoved(f"another plan counts for week {weeks[0]} by now; find the ways out anew")
            now = self._now()
            head = PlanHead(
                id="",
                term=repaired.head.term,
                first_week=weeks[0],
                last_week=weeks[-1],
                state=PlanState.PUBLISHED,
                based_on=repaired.head.id,
                words=words,
                operator=operator,
                created=now,
                changed=max(now, repaired.head.changed + 0.001),
            )
            made = Opened(self._drafts.named(head), self._with_plan(district, answer, None))
            keep = self._drafts.adding(made)

            def write(connection: Connection, published: Published) -> None:
                keep(connection)
                also(connection, made.head.id, published)

            published = self._publication.publish([self._publication.laid(made, weeks)], now, write)
            self._counts_now(made, operator)
            return published

    def withdraw(self, plan: str, operator: str) -> Published | None:
        """Give a plan up; what that came to where it counted, else None.

        Its lessons to come are called off. In weeks in which a plan that was published before it counts again, that
        one's are held.

        Raises:
            PlanMoveRefused: it is given up, or others count in its place.
            SolveRefused: it is being solved.
        """
        with self._lock:
            opened = self._drafts.open(plan)
            self._expect_idle(plan)
            if opened.head.state is not PlanState.PUBLISHED:
                self._drafts.move(opened, PlanState.WITHDRAWN, operator)
                return None
            instead = self._publication.without(opened.head, self._drafts.open)
            move = self._drafts.moving(opened, PlanState.WITHDRAWN, operator)
            published = self._publication.publish(instead, self._now(), lambda connection, _: move(connection))
            self._drafts.written(opened)
            return published

    # With the lock held.

    def _counts_now(self, opened: Opened, operator: str) -> None:
        """A plan has begun to count; older ones of which no week is left do not any more."""
        self._drafts.written(opened)
        for spent in self._publication.spent(opened.head.term, self._now()):
            self._drafts.move(self._drafts.open(spent.id), PlanState.SUPERSEDED, operator)

    def _idle_draft(self, plan: str) -> Opened:
        opened = self._drafts.open(plan)
        expect(opened.head, PlanState.DRAFT)
        self._expect_idle(plan)
        return opened

    def _expect_idle(self, plan: str) -> None:
        if self._solver.running(plan):
            raise SolveRefused("this draft is being solved; wait for it, or stop it first")

    def _before(self, head: PlanHead) -> Plan | None:
        """The plan that a draft goes on from."""
        return self._drafts.open(head.based_on).book.plan if head.based_on else None

    def _with_plan(self, district: District, answer: Plan, before: Plan | None) -> Book:
        # What somebody proved of another district says nothing of this one.
        bound = answer.bound if answer.district in {"", fingerprint(district)} else None
        book = refitted(district, answer, before, bound)
        if not book.fits:
            told = "; ".join(one.en for one in book.violations[:TOLD_MOST])
            raise EditRefused(f"this plan breaks {len(book.violations)} rules of the district: {told}")
        return book

    def _taken(self, opened: Opened, answer: Plan, operator: str) -> str:
        """Keep what was solved; why not, in words, where the draft is no more what was solved."""
        with self._lock:
            if self._drafts.head(opened.head.id) != opened.head:
                return "the draft was changed while it was solved; what was found is not kept"
            self._drafts.keep(opened, Book(opened.book.district, answer), operator)
        return ""

    def _expect_all_agree(self, opened: Opened) -> None:
        said = self.approvals(opened.head.id)
        missing = [one for one in opened.book.taking_part if one not in said or not said[one].approved]
        if missing:
            named = ", ".join(opened.book.school_name(one) for one in missing[:TOLD_MOST])
            more = f" and {len(missing) - TOLD_MOST} more" if len(missing) > TOLD_MOST else ""
            raise NotAgreed(f"the district approves last; {named}{more} have not said yes")
