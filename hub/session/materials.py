"""Materials of sessions: added and taken out by operators, ordered of every room, held by each before the lesson."""

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from pydantic import Field

from contract.material import MOST_MATERIALS, Material, MaterialHeld
from contract.session import SessionOrder
from hub.archive.materials import MaterialFolder
from hub.archive.refusals import NotForYou, Unfit
from hub.session.conductor import Conductor
from hub.session.errors import SessionRefused, SessionUnknown
from hub.session.views import View
from hub.store.materials import MaterialRecord, MaterialTable

log = logging.getLogger(__name__)

KEPT_S = 30 * 86_400.0
"""Files stay on the hub so long after the last session that has them, in seconds: lessons are repeated."""


class MaterialView(View):
    """A file of a session, and who holds it."""

    material: Material
    operator: str = Field(description="Who added it.")
    added: float = Field(description="When, in seconds of UTC.")
    held: tuple[str, ...] = Field(description="Rooms of the session that hold it, its hash looked at there.")
    missing: tuple[str, ...] = Field(description="Rooms that do not, or have not said so.")


class Materials:
    """Synchronous and thread-safe; from asyncio, call it through `asyncio.to_thread`.

    The table is changed first and the order follows from it; what a kill leaves between the two, `mend` finishes.
    """

    def __init__(
        self, folder: MaterialFolder, table: MaterialTable, conductor: Conductor, now: Callable[[], float]
    ) -> None:
        self.folder = folder
        self._table = table
        self._conductor = conductor
        self._now = now
        self._lock = threading.Lock()
        self._having = set(table.sessions(now()))
        """Sessions that may have files: most have none, and are asked about every second."""

    def add(self, session: str, material: Material, operator: str) -> list[MaterialView]:
        """Give a session a file that has arrived, in place of one of the same name.

        Raises:
            SessionUnknown: there is no such session.
            hub.session.errors.TooLate: it is over, or called off.
            Unfit: it has as many files as it may have.
        """
        with self._lock:
            kept = {one.material.name: one for one in self._table.of(session)}
            before = kept.get(material.name)
            if before is None and len(kept) >= MOST_MATERIALS:
                raise Unfit(f"session {session} has {MOST_MATERIALS} files", "take one out first")
            if self.folder.path(material.sha256) is None:
                raise Unfit(f"{material.name} went while it arrived", "send it again")
            self._known(session)
            self._table.put(session, MaterialRecord(material, operator, self._now()))
            self._having.add(session)
            self._order(session, lambda: self._table.drop(session, material.name), before)
        return self.of(session)

    def drop(self, session: str, name: str) -> list[MaterialView]:
        """Take a file out of a session; nothing changes where it has none of that name.

        Raises:
            SessionUnknown: there is no such session.
            hub.session.errors.TooLate: it is over, or called off.
        """
        with self._lock:
            self._known(session)
            before = next((one for one in self._table.of(session) if one.material.name == name), None)
            self._table.drop(session, name)
            self._order(session, lambda: None, before)
        return self.of(session)

    def mend(self) -> None:
        """Order what the table says of every session to come: the hub may have been killed between the two."""
        with self._lock:
            for session in self._table.sessions(self._now()):
                with suppress(SessionRefused):
                    self._conductor.provide(session, tuple(one.material for one in self._table.of(session)))

    def of(self, session: str) -> list[MaterialView]:
        """The files of a session, and which of its rooms hold each.

        Raises:
            SessionUnknown: there is no such session.
        """
        rooms = [one.room for one in self._known(session).rooms]
        holders = self._table.held(session)
        return [
            MaterialView(
                material=one.material,
                operator=one.operator,
                added=one.added,
                held=tuple(room for room in rooms if room in holders.get(one.material.sha256, frozenset())),
                missing=tuple(room for room in rooms if room not in holders.get(one.material.sha256, frozenset())),
            )
            for one in self._table.of(session)
        ]

    def lacking(self, session: str, room: str) -> tuple[str, ...]:
        """Names of the files of a session that a room does not hold."""
        if session not in self._having:
            return ()
        records = self._table.of(session)
        holders = self._table.held(session)
        named = [one.material for one in records]
        return tuple(one.name for one in named if room not in holders.get(one.sha256, frozenset()))

    def file(self, sha256: str, device: str = "") -> Path | None:
        """Where a file lies, for an operator or for a device that needs it; None where it is not here.

        Raises:
            NotForYou: no session of this device has the file.
        """
        if device and not any(self._stands_in(device, session) for session in self._table.sessions_of(sha256)):
            raise NotForYou("no session of this device has this file", "fetch what the device's own orders name")
        return self.folder.path(sha256)

    def held(self, device: str, held: MaterialHeld) -> None:
        """A device says that its room holds a file.

        Raises:
            SessionUnknown: there is no such session.
            NotForYou: the device has no part in it as this room, or the session has no such file.
        """
        order = self._known(held.session)
        part = order.room_of(device)
        if part is None or part.room != held.room or held.sha256 not in {one.sha256 for one in order.materials}:
            raise NotForYou(f"{held.session} has no such file for room {held.room}", "look at the newest order")
        self._table.hold(held, self._now())

    def look(self) -> None:
        """Mend, and delete files that no session has had for `KEPT_S`; every now and then."""
        self.mend()
        with self._lock:
            for sha256 in self.folder.sweep(self._table.wanted(self._now() - KEPT_S)):
                log.info("material %s is not needed any more", sha256[:12])

    def _order(self, session: str, forget: Callable[[], None], before: MaterialRecord | None) -> None:
        """Order what the table says; where that is refused, the table is as it was."""
        try:
            self._conductor.provide(session, tuple(one.material for one in self._table.of(session)))
        except SessionRefused:
            forget()
            if before is not None:
                self._table.put(session, before)
            raise

    def _known(self, session: str) -> SessionOrder:
        order = self._conductor.order(session)
        if order is None:
            raise SessionUnknown(f"there is no session {session[:80]}")
        return order

    def _stands_in(self, device: str, session: str) -> bool:
        order = self._conductor.order(session)
        return order is not None and order.room_of(device) is not None
