"""Conducts every session: orders go out, reports come in, offers are passed on.

Everything it knows is in the store, so it may be killed at any moment: orders that are
not held are sent again, and the rest follows from each device's hello.
"""

import logging
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from contract.envelope import Envelope
from contract.material import Material
from contract.session import SessionOrder
from contract.signal import Answer, Hello, Offer, Order, RoomReport, Signal
from contract.state import FINAL, SessionState
from hub.fleet.devices import Devices
from hub.session.derive import RoomStanding, room_stands, session_stands
from hub.session.dispatch import AHEAD_S, Dispatch, Sender
from hub.session.errors import RoomBusy, SessionUnknown
from hub.session.ordering import cancelled, ended, order_of, with_materials
from hub.session.relay import RelayRefused, relayed
from hub.session.report import reachable, reported
from hub.session.show import shown
from hub.session.views import NewSession, SessionView
from hub.store.errors import RoomTaken
from hub.store.sessions import RoomRecord, SessionRecord, SessionTable

RELAY_VALID_S = 30.0
GIVEN_UP_S = 14 * 86_400.0
"""Nothing more is expected of any room this long after the end."""

log = logging.getLogger("hub.session")


@dataclass(frozen=True, slots=True)
class Times:
    """How long things take, in seconds."""

    lead_s: float = 4.0
    """From `now` to session time zero."""
    grace_s: float = 120.0
    """From the end to the judgement that a silent room has failed."""


def new_session_id(now: float) -> str:
    """An id that sorts by day and cannot be guessed."""
    return f"s-{time.strftime('%Y%m%d', time.gmtime(now))}-{secrets.token_hex(4)}"


class Conductor:
    """Every session of the district.

    Synchronous and thread-safe; from asyncio, call it through `asyncio.to_thread`.

    Args:
        sessions: where sessions are kept.
        devices: who stands in which room, and is there.
        sender: carries signals to devices.
        now: hub UTC in seconds.
        times: lead time and grace.
        on_change: is told the id of each session that changed; from any thread.
        mint: makes an id for a session that is made at a time.
    """

    def __init__(
        self,
        sessions: SessionTable,
        devices: Devices,
        sender: Sender,
        now: Callable[[], float],
        times: Times,
        on_change: Callable[[str], None],
        mint: Callable[[float], str] = new_session_id,
    ) -> None:
        self._sessions = sessions
        self._devices = devices
        self._sender = sender
        self._dispatch = Dispatch(sender, now, times.grace_s)
        self._now = now
        self._times = times
        self._on_change = on_change
        self._mint = mint
        self._lock = threading.RLock()

    # What operators ask for.

    def create(self, request: NewSession, session: str | None = None) -> SessionView:
        """Make a session and order it of its rooms.

        Args:
            request: what is asked for.
            session: its id, which no session has; None makes one up.

        Raises:
            hub.session.errors.SessionRefused: it cannot be made; the message says why.
        """
        with self._lock:
            now = self._now()
            order = order_of(request, session or self._mint(now), self._times.lead_s, now, self._devices.of_room)
            try:
                record = self._sessions.add(order, now)
            except RoomTaken as taken:
                raise RoomBusy(f"{taken}; choose another time, or end that session first") from taken
            self._dispatch.orders(record)
            view = self._shown(record)
        self._on_change(order.session)
        return view

    def end(self, session: str) -> SessionView:
        """End a session early; nothing changes where it is over.

        Raises:
            SessionUnknown: there is none.
            TooLate: it has not begun, or is called off.
        """
        return self._reorder(session, ended)

    def cancel(self, session: str) -> SessionView:
        """Call a session off; nothing changes where it is called off already.

        Raises:
            SessionUnknown: there is none.
            TooLate: it is over.
        """
        return self._reorder(session, cancelled)

    def provide(self, session: str, materials: tuple[Material, ...]) -> SessionView:
        """Order these files of the session's rooms, in place of those it had.

        Raises:
            SessionUnknown: there is none.
            TooLate: it is over, or called off.
        """
        return self._reorder(session, partial(with_materials, materials=materials))

    def view(self, session: str) -> SessionView | None:
        """Where a session stands; None where there is none."""
        record = self._sessions.get(session)
        return self._shown(record) if record is not None else None

    def views(self) -> list[SessionView]:
        """Where the newest sessions that have begun and the next to come stand, newest first."""
        return [self._shown(record) for record in self._sessions.around(self._now())]

    def due(self, within_s: float) -> list[SessionView]:
        """Where every open session stands that has begun or begins within so many seconds, the earliest first."""
        return [self._shown(record) for record in self._sessions.due(self._now() + within_s)]

    def order(self, session: str) -> SessionOrder | None:
        """A session's newest order; None where there is none."""
        record = self._sessions.get(session)
        return record.order if record is not None else None

    def receipt_given(self, session: str, room: str, receipt: Envelope) -> None:
        """The hub holds every file of the room's package; `receipt` says so to the device.

        Raises:
            SessionUnknown: there is no such session, or the room has no part in it.
        """
        with self._lock:
            record = self._known(session)
            known = record.room(room)
            if known is None:
                raise SessionUnknown(f"room {room} has no part in session {session}")
            # A package that is stored whole was sealed, whether or not its room's report came.
            state = reachable(known.state, SessionState.UPLOADED) or known.state
            self._keep(record, known, replace(known, receipt=receipt, state=state))

    def receipt(self, session: str, room: str) -> Envelope | None:
        """The receipt for a room's package; None until it was given."""
        record = self._sessions.get(session)
        known = record.room(room) if record is not None else None
        return known.receipt if known is not None else None

    # What devices say.

    def handle(self, signal: Signal, issued: float) -> str:
        """Act on a signal of a registered device; returns why not, in words, or an empty text."""
        match signal:
            case Hello():
                self._hello(signal)
            case RoomReport():
                return self._report(signal, issued)
            case Offer() | Answer():
                return self._relay(signal)
            case _:
                return f"a hub does not take a {signal.kind} signal"
        return ""

    def answered(self, signal: Signal, refused: str) -> None:
        """A device answered a signal of ours."""
        if not isinstance(signal, Order):
            return
        order = signal.order
        if refused:
            log.warning("device %s refused order %d of %s: %s", signal.device, order.rev, order.session, refused)
            return
        with self._lock:
            record = self._sessions.get(order.session)
            ordered = order.room_of(signal.device)
            known = record.room(ordered.room) if record is not None and ordered is not None else None
            if record is not None and known is not None and known.held < order.rev:
                self._keep(record, known, replace(known, held=order.rev))

    def tick(self) -> None:
        """Judge every session that is due, and send orders that are not held; every second or so."""
        with self._lock:
            for record in self._sessions.due(self._now() + AHEAD_S):
                self._judge(record)
            for record in self._sessions.unheld():
                self._dispatch.orders(record)

    def _hello(self, hello: Hello) -> None:
        self._devices.incarnated(hello.device, hello.boot, hello.incarnation)
        with self._lock:
            for record in self._sessions.of_device(hello.device):
                ordered = record.order.room_of(hello.device)
                known = record.room(ordered.room) if ordered is not None else None
                if known is None:
                    continue
                held = min(hello.orders.get(record.order.session, 0), record.order.rev)
                if held != known.held:
                    known = replace(known, held=held)
                    self._sessions.save_room(record.order.session, known)
                    record = record.with_room(known)  # noqa: PLW2901  the record as it is now kept
                if held < record.order.rev:
                    self._dispatch.order(record.order, hello.device)
                self._dispatch.others_to(record, hello.device)

    def _report(self, report: RoomReport, issued: float) -> str:
        with self._lock:
            record = self._sessions.get(report.session)
            if record is None:
                return f"there is no session {report.session}"
            ordered = record.order.room_of(report.device)
            known = record.room(report.room)
            if known is None or ordered is None or ordered.room != report.room:
                return f"device {report.device} does not stand in room {report.room} of {report.session}"
            device = self._devices.get(report.device)
            after = reported(known, report, issued, device.incarnation if device else "")
            self._keep(record, known, replace(after, held=min(after.held, record.order.rev)))
        return ""

    def _relay(self, signal: Offer | Answer) -> str:
        try:
            down = relayed(self.order(signal.session), signal, self._now(), self._times.grace_s)
        except RelayRefused as refused:
            return str(refused)
        self._sender.send(down, RELAY_VALID_S)
        return ""

    # How it is kept; with the lock held.

    def _known(self, session: str) -> SessionRecord:
        record = self._sessions.get(session)
        if record is None:
            raise SessionUnknown(f"there is no session {session}")
        return record

    def _reorder(self, session: str, change: Callable[[SessionOrder, float], SessionOrder | None]) -> SessionView:
        with self._lock:
            record = self._known(session)
            order = change(record.order, self._now())
            if order is not None:
                self._sessions.reorder(order, self._now())
                record = replace(record, order=order, closed=False)
                self._dispatch.orders(record)
                record = self._judge(record)
        if order is not None:
            self._on_change(session)
        return self._shown(record)

    def _keep(self, record: SessionRecord, before: RoomRecord, after: RoomRecord) -> None:
        """Store a room's record, tell its peers where it stands, and judge the session."""
        if after == before:
            return
        session = record.order.session
        self._sessions.save_room(session, after)
        record = record.with_room(after)
        if (after.state, after.incarnation) != (before.state, before.incarnation):
            self._dispatch.to_others(record, after)
        self._judge(record)
        self._on_change(session)

    def _judge(self, record: SessionRecord) -> SessionRecord:
        now = self._now()
        order = record.order
        verdict = session_stands(order, self._standings(record), record.state, now)
        held = all(one.held >= order.rev for one in record.rooms)
        over = order.cancelled or all(one.state in FINAL for one in record.rooms)
        closed = (held and over) or now > order.ends + GIVEN_UP_S
        if (verdict.state, verdict.words, closed) == (record.state, record.words, record.closed):
            return record
        self._sessions.judge(order.session, verdict.state, verdict.words, closed=closed, now=now)
        if verdict.state is not record.state:
            log.info("session %s is %s %s", order.session, verdict.state, verdict.words)
        self._on_change(order.session)
        return replace(record, state=verdict.state, words=verdict.words, closed=closed, changed=now)

    def _standings(self, record: SessionRecord) -> list[RoomStanding]:
        now, grace_s = self._now(), self._times.grace_s
        return [
            room_stands(record.order, one, online=self._devices.online(one.device), now=now, grace_s=grace_s)
            for one in record.rooms
        ]

    def _shown(self, record: SessionRecord) -> SessionView:
        return shown(record, self._standings(record), self._devices.online, self._now())
