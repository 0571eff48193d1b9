"""Lesson reports on demand, and the last few kept while nothing that they are made from changes."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from contract.package import MANIFEST
from contract.session import SessionOrder
from hub.archive.store import PackageId, PackageStore
from hub.insight.contents import LessonContents
from hub.insight.packages import room_packages
from hub.insight.report import lesson_report, standing
from hub.session.errors import SessionUnknown

KEPT = 4
"""Reports kept: of a lesson that somebody looks at, its page and its data are asked for one after the other."""


class LessonReports:
    """The reports of lessons, for one event loop.

    A report is made anew when the order, the chapters or a manifest changes; a manifest names every file of its
    package with its hash. One is made at a time, in a thread: ten viewers of a new lesson do not make it ten times,
    and do not take all threads of the hub while they wait.
    """

    def __init__(
        self,
        archive: PackageStore,
        contents: LessonContents,
        order: Callable[[str], SessionOrder | None],
        now: Callable[[], float],
    ) -> None:
        """Prepare.

        Args:
            archive: holds the packages.
            contents: knows the chapters.
            order: a session's newest order, or None.
            now: hub UTC, in seconds.
        """
        self._archive = archive
        self._contents = contents
        self._order = order
        self._now = now
        self._turn = asyncio.Lock()
        self._kept: OrderedDict[tuple[object, ...], dict[str, Any]] = OrderedDict()

    async def of(self, session: str) -> dict[str, Any]:
        """The report of a session, to be read and not changed.

        Raises:
            SessionUnknown: there is no such session.
        """
        async with self._turn:
            return await asyncio.to_thread(self._of, session)

    def _of(self, session: str) -> dict[str, Any]:
        """The same; blocks on the disk, the database and the processor."""
        order = self._order(session)
        if order is None:
            raise SessionUnknown(f"there is no session {session[:80]}")
        now = self._now()
        chapters = self._contents.of(session)
        basis = tuple(self._manifest(order.session, room.room) for room in order.rooms)
        # Whether it is over is the one thing that changes by itself.
        key = (session, order.rev, now < order.ends, chapters.rev, chapters.basis, basis)
        if key not in self._kept:
            # An older one may tell of packages that were deleted since.
            for old in [one for one in self._kept if one[0] == session]:
                del self._kept[old]
            rooms = [] if standing(order, (), now).silent else [one.room for one in order.rooms]
            found = room_packages(self._archive, session, rooms)
            self._kept[key] = lesson_report(order, found, chapters.rows, now=now)
        self._kept.move_to_end(key)
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return self._kept[key]

    def _manifest(self, session: str, room: str) -> str:
        """Hash of a package's manifest; empty where the package is not complete, or deleted."""
        place = PackageId(session, room)
        if self._archive.receipt(place) is None or self._archive.deletion(place) is not None:
            return ""
        return next((one.sha256 for one in self._archive.arrived(place) if one.name == MANIFEST), "")
