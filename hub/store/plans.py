"""Plans of a week: the district as it was planned and the answer, both as JSON, and what the schools said."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, update

from hub.schedule.desk.states import PlanState
from hub.store.engine import Database
from hub.store.tables import PLAN, PLAN_APPROVAL

DISTRICT = ""
"""In place of a school: the district itself."""


@dataclass(frozen=True, slots=True)
class PlanHead:
    """A plan without its contents."""

    id: str
    term: str
    first_week: int
    last_week: int
    state: PlanState
    based_on: str
    """Id of the plan that it goes on from; empty where it began anew."""
    words: str
    """What people call it."""
    operator: str
    """Who changed it last."""
    created: float
    """In seconds of hub UTC, as `changed`."""
    changed: float


@dataclass(frozen=True, slots=True)
class PlanContents:
    """What a plan answers, and the answer."""

    district: str
    """A `hub.schedule.district.District` as JSON."""
    data: str
    """A `hub.schedule.plan.Plan` as JSON; empty while there is none."""


@dataclass(frozen=True, slots=True)
class Approval:
    """What a school, or the district, said of a plan last."""

    plan: str
    school: str
    """Empty for the district."""
    approved: bool
    words: str
    """Who said so, and what."""
    operator: str
    """Who wrote it down."""
    at: float


class PlanTable:
    """Plans by id. Thread-safe; whoever reads, decides and writes says what `changed` was."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, head: PlanHead, contents: PlanContents) -> None:
        """Keep a new plan."""
        with self._database.write() as connection:
            self.add_in(connection, head, contents)

    def add_in(self, connection: Connection, head: PlanHead, contents: PlanContents) -> None:
        """As `add`, in a transaction that has begun."""
        values = {name: getattr(head, name) for name in PlanHead.__dataclass_fields__}
        connection.execute(insert(PLAN).values(**values, district=contents.district, data=contents.data))

    def head(self, plan: str) -> PlanHead | None:
        """A plan without its contents, or None."""
        return next(iter(self._heads(PLAN.c.id == plan)), None)

    def heads(self, term: str | None = None) -> list[PlanHead]:
        """Every plan, or those of a term; the newest first."""
        return self._heads(*(() if term is None else (PLAN.c.term == term,)))

    def published(self, term: str | None = None) -> list[PlanHead]:
        """Plans that count, the one published last first: where two have a week, that one counts."""
        of_term = () if term is None else (PLAN.c.term == term,)
        found = self._heads(PLAN.c.state == PlanState.PUBLISHED, *of_term)
        return sorted(found, key=lambda one: (one.changed, one.id), reverse=True)

    def contents(self, plan: str) -> PlanContents | None:
        """What a plan answers and the answer, or None."""
        with self._database.read() as connection:
            row = connection.execute(select(PLAN.c.district, PLAN.c.data).where(PLAN.c.id == plan)).first()
        return PlanContents(row.district, row.data) if row is not None else None

    def change(self, plan: str, was: float, now: float, **values: Any) -> bool:
        """Change columns of the plan that was changed last at `was`; whether it was still so.

        Args:
            plan: its id.
            was: its `changed` when it was looked at.
            now: seconds of hub UTC; where that is not later than `was`, it becomes a little later.
            values: by column: `state`, `district`, `data`, `words`, `operator`, `first_week`, `last_week`.
        """
        with self._database.write() as connection:
            return self.change_in(connection, plan, was, now, **values)

    def change_in(self, connection: Connection, plan: str, was: float, now: float, **values: Any) -> bool:
        """As `change`, in a transaction that has begun."""
        changed = max(now, was + 0.001)
        as_seen = (PLAN.c.id == plan) & (PLAN.c.changed == was)
        return connection.execute(update(PLAN).where(as_seen).values(changed=changed, **values)).rowcount == 1

    def approvals(self, plan: str) -> list[Approval]:
        """What was said of a plan, the district first, then by school."""
        query = select(PLAN_APPROVAL).where(PLAN_APPROVAL.c.plan == plan).order_by(PLAN_APPROVAL.c.school)
        with self._database.read() as connection:
            return [Approval(**row) for row in connection.execute(query).mappings()]

    def approve(self, approval: Approval) -> None:
        """Keep what a school said, in place of what it said before."""
        same = (PLAN_APPROVAL.c.plan == approval.plan) & (PLAN_APPROVAL.c.school == approval.school)
        values = {name: getattr(approval, name) for name in Approval.__dataclass_fields__}
        with self._database.write() as connection:
            connection.execute(delete(PLAN_APPROVAL).where(same))
            connection.execute(insert(PLAN_APPROVAL).values(values))

    def forget_approvals(self, plan: str) -> None:
        """What was said was said of something else."""
        with self._database.write() as connection:
            connection.execute(delete(PLAN_APPROVAL).where(PLAN_APPROVAL.c.plan == plan))

    def next_id(self) -> str:
        """An id that no plan has: `p-000001` and so on."""
        with self._database.read() as connection:
            newest = connection.scalar(select(func.max(PLAN.c.id)))
        return f"p-{int(newest.removeprefix('p-')) + 1 if newest else 1:06}"

    def _heads(self, *where: ColumnElement[bool]) -> list[PlanHead]:
        columns = [PLAN.c[name] for name in PlanHead.__dataclass_fields__]
        query = select(*columns).where(*where).order_by(PLAN.c.created.desc(), PLAN.c.id.desc())
        with self._database.read() as connection:
            rows: Iterable[Any] = connection.execute(query).mappings().all()
        return [PlanHead(**{**row, "state": PlanState(row["state"])}) for row in rows]
