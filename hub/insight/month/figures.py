"""The figures of lessons, made when a package arrives or when a month asks for them, and kept."""

import hashlib
import logging
from collections.abc import Callable, Collection

from pydantic import ValidationError

from contract.package import MANIFEST
from contract.session import SessionOrder
from hub.archive.refusals import ArchiveRefused
from hub.archive.store import PackageId, PackageStore
from hub.insight.month.lesson import VERSION, LessonFigures, lesson_figures
from hub.insight.packages import room_packages
from hub.insight.report import lesson_report
from hub.store.figures import FigureTable

log = logging.getLogger(__name__)


class FiguresOfLessons:
    """Synchronous and thread-safe; blocks on the disk and the database, some tenths of a second a new lesson.

    They are made anew when a package of the lesson arrives, and go when its last package is deleted, as its chapters.
    """

    def __init__(
        self,
        table: FigureTable,
        archive: PackageStore,
        order: Callable[[str], SessionOrder | None],
        now: Callable[[], float],
    ) -> None:
        self._table = table
        self._archive = archive
        self._order = order
        self._now = now

    def of(self, sessions: Collection[str]) -> dict[str, LessonFigures]:
        """The figures of lessons that are over; a lesson of which nothing is in the archive has none."""
        kept = self._table.of(sessions)
        found = {}
        gone = []
        for session in sessions:
            order = self._order(session)
            basis = self._basis(order) if order is not None else ""
            if order is None or not basis or self._now() < order.ends:
                gone += [session] if session in kept else []
                continue
            was, data = kept.get(session, ("", ""))
            made = _read(data) if was == basis else None
            if made is None:
                made = self._made(order)
                self._table.put(session, basis, made.model_dump_json())
            found[session] = made
        if gone:
            self._table.drop(gone)
        return found

    def derive(self, session: str) -> None:
        """Bring a lesson's figures up to date: a package of it arrived."""
        self.of([session])

    def _made(self, order: SessionOrder) -> LessonFigures:
        try:
            packages = room_packages(self._archive, order.session, [one.room for one in order.rooms])
        except (OSError, ArchiveRefused) as error:
            log.warning("the figures of %s are unknown: %s", order.session, error)
            return LessonFigures(session=order.session)
        return lesson_figures(lesson_report(order, packages, now=self._now()))

    def _basis(self, order: SessionOrder) -> str:
        """Version, order and manifests; empty where no package is here."""
        manifests = []
        for room in order.rooms:
            place = PackageId(order.session, room.room)
            if self._archive.receipt(place) is not None and self._archive.deletion(place) is None:
                manifests += [one.sha256 for one in self._archive.arrived(place) if one.name == MANIFEST]
        if not manifests:
            return ""
        told = f"{order.rev}:{order.seconds}:{order.policy.observe}:{':'.join(manifests)}"
        return f"{VERSION}:{hashlib.sha256(told.encode()).hexdigest()[:32]}"


def _read(data: str) -> LessonFigures | None:
    try:
        return LessonFigures.model_validate_json(data)
    except ValidationError:
        return None
