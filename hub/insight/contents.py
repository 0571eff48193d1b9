"""Each lesson's chapters as they stand: derived from its packages and kept, until an operator edits them."""

import hashlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace

from contract.package import MANIFEST
from contract.session import SessionOrder
from hub.archive.store import PackageId, PackageStore
from hub.insight.chapters import VERSION, lesson_chapters, plain_title
from hub.insight.editing import NewChapter, derived, edited, fitted
from hub.insight.errors import ChaptersChanged, LessonDeleted, NothingRecorded
from hub.insight.packages import room_packages
from hub.session.errors import SessionUnknown
from hub.store.chapters import ChapterListRecord, ChapterTable, Found, RevisionPast

TRIES = 3
"""A list that others change while it is derived is looked at anew so often."""
WORDS_MOST = 8
"""Words of a search; further ones are left out."""


class LessonContents:
    """The chapters of every lesson. Synchronous and thread-safe; blocks on the disk and the database.

    What is derived is kept with what it was made from, so that it is found by a search and read without the
    timelines; it is made anew when a package arrives or goes. When the last package of a lesson has been deleted,
    its chapters go as well, edited or not: titles are taken from its slides and its teachers' words.
    """

    def __init__(
        self,
        table: ChapterTable,
        archive: PackageStore,
        order: Callable[[str], SessionOrder | None],
        now: Callable[[], float],
    ) -> None:
        """Prepare.

        Args:
            table: keeps the lists.
            archive: holds the packages.
            order: a session's newest order, or None.
            now: hub UTC, in seconds.
        """
        self._table = table
        self._archive = archive
        self._order = order
        self._now = now

    def of(self, session: str) -> ChapterListRecord:
        """The chapters of a session as they stand; revision 0 where nothing of it is here to derive them from.

        Raises:
            SessionUnknown: there is no such session.
        """
        order = self._known(session)
        for last in reversed(range(TRIES)):
            kept = self._table.get(session)
            basis, deleted = self._basis(order)
            if kept is not None and not (deleted and not basis) and (kept.edited or basis in {kept.basis, ""}):
                return replace(kept, rows=fitted(kept.rows, order.seconds))
            if not basis:
                return self._derived(order, "", None)
            made = self._derived(order, basis, kept)
            try:
                self._table.put(made, kept.rev if kept else 0)
            except RevisionPast:
                if last:
                    continue
            return made
        raise AssertionError("not reached")

    def edit(self, session: str, rev: int, new: Sequence[NewChapter], editor: str) -> ChapterListRecord:
        """Keep a list in place of the one at revision `rev`.

        Raises:
            SessionUnknown: there is no such session.
            ChaptersRefused: the list is unfit, another is newer, or there is no recording that it could be of.
        """
        order, before = self._changeable(session, rev)
        rows = edited(new, order.seconds, before.rows)
        made = ChapterListRecord(
            session, before.rev + 1, edited=True, editor=editor, changed=self._now(), basis="", rows=rows
        )
        return self._kept(made, before.rev)

    def revert(self, session: str, rev: int | None, editor: str) -> ChapterListRecord:
        """Go back to the derived chapters; `rev`, where it is given, is the revision that was looked at.

        Raises:
            SessionUnknown: there is no such session.
            ChaptersRefused: another list is newer, or there is no recording.
        """
        order, before = self._changeable(session, rev)
        if not before.edited:
            return before
        made = self._derived(order, self._basis(order)[0], before)
        return self._kept(replace(made, rev=before.rev + 1, editor=editor), before.rev)

    def find(self, text: str, most: int) -> list[Found]:
        """Chapters whose titles hold every word of `text`, the newest lessons first; none where there is no word."""
        words = plain_title(text).split()[:WORDS_MOST]
        return self._table.find(words, most) if words else []

    def outdated(self) -> list[str]:
        """Sessions in the archive whose chapters are not derived yet, or were by older rules."""
        bases = self._table.bases()
        held = {package.session for package in self._archive.packages()}
        fresh = {one for one, basis in bases.items() if not basis or basis.startswith(f"{VERSION}:")}
        return sorted(held - fresh)

    def forget_deleted(self) -> None:
        """Forget the chapters of lessons whose packages were deleted, edited or not.

        Those of a lesson of which the archive tells nothing at all are kept: it may not be restored yet.
        """
        held = {package.session for package in self._archive.packages()}
        gone = [one for one in self._table.bases() if one not in held and self._gone(one)]
        if gone:
            self._table.drop(gone)

    def derive(self, session: str) -> None:
        """Bring the derived chapters of a session up to date; one that this hub does not know gets none."""
        with suppress(SessionUnknown):
            self.of(session)

    def _known(self, session: str) -> SessionOrder:
        order = self._order(session)
        if order is None:
            raise SessionUnknown(f"there is no session {session[:80]}")
        return order

    def _changeable(self, session: str, rev: int | None) -> tuple[SessionOrder, ChapterListRecord]:
        order = self._known(session)
        basis, deleted = self._basis(order)
        if not basis and deleted:
            raise LessonDeleted(
                f"the recordings of {session} were deleted, and its chapters with them", "nothing is left to be cut"
            )
        if not basis:
            raise NothingRecorded(
                f"no recording of {session} has arrived yet", "edit the chapters when a room's package is here"
            )
        before = self.of(session)
        if rev is not None and rev != before.rev:
            raise ChaptersChanged(before)
        return order, before

    def _kept(self, made: ChapterListRecord, after: int) -> ChapterListRecord:
        try:
            self._table.put(made, after)
        except RevisionPast as error:
            raise ChaptersChanged(self.of(made.session)) from error
        return made

    def _derived(self, order: SessionOrder, basis: str, before: ChapterListRecord | None) -> ChapterListRecord:
        """Derived chapters; the revision grows only where they are others than before."""
        packages = room_packages(self._archive, order.session, [room.room for room in order.rooms]) if basis else []
        rows = derived(lesson_chapters(order, packages))
        rev = 0
        if basis:
            same = before is not None and before.rows == rows and not before.edited
            rev = (before.rev if before else 0) + (not same)
        return ChapterListRecord(
            order.session, rev, edited=False, editor="", changed=self._now(), basis=basis, rows=rows
        )

    def _basis(self, order: SessionOrder) -> tuple[str, bool]:
        """What chapters can be derived from, empty where no package is here, and whether one was deleted."""
        told: list[str] = []
        deleted = False
        for room in order.rooms:
            package = PackageId(order.session, room.room)
            if self._archive.deletion(package) is not None:
                deleted = True
            elif self._archive.receipt(package) is not None:
                files = self._archive.arrived(package)
                told += [room.room, *(one.sha256 for one in files if one.name == MANIFEST)]
        if not told:
            return "", deleted
        told += [order.title, str(order.seconds), *(f"{room.room} {room.role}" for room in order.rooms)]
        return f"{VERSION}:{hashlib.sha256(chr(10).join(told).encode()).hexdigest()}", deleted

    def _gone(self, session: str) -> bool:
        """Whether packages of a session were deleted and none is left."""
        order = self._order(session)
        basis, deleted = self._basis(order) if order is not None else ("", True)
        return deleted and not basis
