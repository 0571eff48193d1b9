"""Plans as they are kept: opened as books, changed by one at a time."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection

from hub.schedule.desk.book import Book
from hub.schedule.desk.errors import PlanMoved, PlanMoveRefused, PlanUnknown
from hub.schedule.desk.states import PlanState, moved
from hub.schedule.district import District, told
from hub.schedule.errors import PlanWrong
from hub.schedule.plan import Plan
from hub.schedule.slots import Part
from hub.store.plans import PlanContents, PlanHead, PlanTable

OPEN_MOST = 4
"""Plans that are kept open in memory: one of ten districts is some megabytes."""


class Remark(Part):
    """A sentence in both languages."""

    zh: str
    en: str

    def told(self, language: str) -> str:
        """In the reader's language."""
        return self.zh if language == "zh" else self.en


class Kept(Part):
    """What the column `data` of a plan holds."""

    plan: Plan | None = None
    misfits: tuple[Remark, ...] = ()
    """What of the facts could not be used when the draft was made."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A plan with its contents."""

    head: PlanHead
    book: Book
    misfits: tuple[Remark, ...] = ()


class Drafts:
    """Plans by id, the last few of them open. Thread-safe; whoever reads, decides and writes holds `lock`.

    Args:
        table: where they are kept.
        now: hub UTC in seconds.
        on_change: is told the id of each plan that changed; from any thread.
    """

    def __init__(self, table: PlanTable, now: Callable[[], float], on_change: Callable[[str], None]) -> None:
        self.lock = threading.RLock()
        self._table = table
        self._now = now
        self._on_change = on_change
        self._open: OrderedDict[str, Opened] = OrderedDict()

    def head(self, plan: str) -> PlanHead:
        """A plan without its contents.

        Raises:
            PlanUnknown: there is none.
        """
        found = self._table.head(plan)
        if found is None:
            raise PlanUnknown(f"there is no plan {plan[:80]}")
        return found

    def open(self, plan: str) -> Opened:
        """A plan with its contents.

        Raises:
            PlanUnknown: there is none.
            PlanWrong: it cannot be read; a newer hub has written it.
        """
        with self.lock:
            head = self.head(plan)
            known = self._open.get(plan)
            if known is not None and known.head == head:
                self._open.move_to_end(plan)
                return known
            contents = self._table.contents(plan)
            if contents is None:
                raise PlanUnknown(f"there is no plan {plan[:80]}")
            try:
                kept = Kept.model_validate_json(contents.data)
                book = Book(District.model_validate_json(contents.district), kept.plan)
            except ValidationError as error:
                raise PlanWrong(f"plan {plan} cannot be read: {told(error)}") from error
            return self._remember(Opened(head, book, kept.misfits))

    def add(self, new: PlanHead, book: Book, misfits: tuple[Remark, ...]) -> Opened:
        """Keep a new plan; its id is given here."""
        with self.lock:
            opened = Opened(self.named(new), book, misfits)
            self._table.add(opened.head, _contents(opened))
            return self.written(opened)

    def named(self, new: PlanHead) -> PlanHead:
        """A plan that is not kept yet, with an id that none has; whoever keeps it holds `lock` until then."""
        return replace(new, id=self._table.next_id())

    def adding(self, new: Opened) -> Callable[[Connection], None]:
        """Keeps a new plan in a transaction that has begun; `written` follows once it is committed."""
        contents = _contents(new)
        return lambda connection: self._table.add_in(connection, new.head, contents)

    def keep(self, opened: Opened, book: Book, operator: str) -> Opened:
        """Keep other contents of a draft.

        Raises:
            PlanMoved: somebody else changed it meanwhile.
        """
        kept = Kept(plan=book.plan, misfits=opened.misfits)
        values = {"data": _json(kept)}
        if book.district is not opened.book.district:
            values["district"] = _json(book.district)
        return self._changed(opened, book, operator, **values)

    def move(self, opened: Opened, to: PlanState, operator: str, **values: Any) -> Opened:
        """Move a plan to another state.

        Args:
            opened: the plan as it was looked at.
            to: its state from now on.
            operator: who moves it.
            values: what else of its head changes with it.

        Raises:
            PlanMoveRefused: it cannot go there from here.
            PlanMoved: somebody else changed it meanwhile.
        """
        state = moved(opened.head.state, to)
        return self._changed(opened, opened.book, operator, state=state, **values)

    def moving(self, opened: Opened, to: PlanState, operator: str, **values: Any) -> Callable[[Connection], None]:
        """Moves a plan, as `move` does, in a transaction that has begun; `written` follows once it is committed.

        Raises:
            PlanMoveRefused: it cannot go there from here.
        """
        head, state, now = opened.head, moved(opened.head.state, to), self._now()

        def move(connection: Connection) -> None:
            if not self._table.change_in(
                connection, head.id, head.changed, now, operator=operator, state=state, **values
            ):
                raise _overtaken(head)

        return move

    def written(self, opened: Opened) -> Opened:
        """A plan as it is now that its head was written; whoever follows plans is told."""
        with self.lock:
            written = self._remember(replace(opened, head=self.head(opened.head.id)))
        self._on_change(written.head.id)
        return written

    def _changed(self, opened: Opened, book: Book, operator: str, **values: Any) -> Opened:
        head = opened.head
        with self.lock:
            if not self._table.change(head.id, head.changed, self._now(), operator=operator, **values):
                raise _overtaken(head)
            return self.written(replace(opened, book=book))

    def _remember(self, opened: Opened) -> Opened:
        self._open[opened.head.id] = opened
        self._open.move_to_end(opened.head.id)
        while len(self._open) > OPEN_MOST:
            self._open.popitem(last=False)
        return opened


def expect(head: PlanHead, *states: PlanState) -> None:
    """Let a plan pass that is in one of the states.

    Raises:
        PlanMoveRefused: it is in another.
    """
    if head.state not in states:
        wanted = " or ".join(states)
        raise PlanMoveRefused(f"plan {head.id} is {head.state}; for this it must be {wanted}")


def _overtaken(head: PlanHead) -> PlanMoved:
    return PlanMoved(f"plan {head.id} was changed by somebody else meanwhile; look at it again")


def _contents(opened: Opened) -> PlanContents:
    return PlanContents(_json(opened.book.district), _json(Kept(plan=opened.book.plan, misfits=opened.misfits)))


def _json(part: Part) -> str:
    return part.model_dump_json(exclude_defaults=True)
