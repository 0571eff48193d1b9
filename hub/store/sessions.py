"""Sessions: the order as rooms must hold it, and what each room last reported."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Select, insert, select, update

from contract.envelope import Envelope
from contract.result import RoomResult
from contract.session import SessionOrder
from contract.state import SessionState
from hub.store.engine import Database
from hub.store.errors import RoomTaken
from hub.store.tables import SESSION, SESSION_ROOM

NEVER_HAPPENED = (SessionState.CANCELLED, SessionState.FAILED)
"""Sessions in these states take no room."""

BEGUN_SHOWN = 200
TO_COME_SHOWN = 50


@dataclass(frozen=True, slots=True)
class RoomRecord:
    """One room in a session."""

    room: str
    device: str
    held: int = 0
    """Revision of the order that its device is known to hold; 0 for none."""
    state: SessionState = SessionState.SCHEDULED
    """As last reported."""
    words: str = ""
    incarnation: str = ""
    """Of the agent that last reported; empty before the first report."""
    issued: float = 0.0
    """When that report was issued, on the device's clock."""
    result: RoomResult | None = None
    receipt: Envelope | None = None


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """One session with its rooms, in the order's order."""

    order: SessionOrder
    state: SessionState
    words: str
    closed: bool
    """Whether nothing more is expected of any room."""
    created: float
    changed: float
    rooms: tuple[RoomRecord, ...]

    def room(self, room: str) -> RoomRecord | None:
        """The record of `room`, or None where it has no part in this session."""
        return next((one for one in self.rooms if one.room == room), None)

    def with_room(self, room: RoomRecord) -> "SessionRecord":
        """A copy in which `room` stands in place of its older record."""
        return replace(self, rooms=tuple(room if one.room == room.room else one for one in self.rooms))


class SessionTable:
    """Sessions by id. Thread-safe; whoever reads, decides and writes holds a lock of its own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, order: SessionOrder, now: float) -> SessionRecord:
        """Store a new session.

        Raises:
            RoomTaken: one of its rooms has a session at that time; nothing is stored.
        """
        with self._database.write() as connection:
            rooms = [one.room for one in order.rooms]
            overlap = (
                select(SESSION_ROOM.c.room, SESSION.c.id)
                .join_from(SESSION_ROOM, SESSION, SESSION.c.id == SESSION_ROOM.c.session)
                .where(SESSION_ROOM.c.room.in_(rooms), SESSION.c.state.not_in(NEVER_HAPPENED))
                .where(SESSION.c.epoch < order.ends, SESSION.c.ends > order.epoch)
            )
            taken = connection.execute(overlap).first()
            if taken is not None:
                raise RoomTaken(taken.room, taken.id)
            connection.execute(
                insert(SESSION).values(
                    id=order.session,
                    **_order_values(order, now),
                    state=SessionState.SCHEDULED,
                    words="",
                    closed=False,
                    created=now,
                )
            )
            records = tuple(RoomRecord(one.room, one.device) for one in order.rooms)
            connection.execute(insert(SESSION_ROOM), [_room_values(order.session, one) for one in records])
        return SessionRecord(order, SessionState.SCHEDULED, "", closed=False, created=now, changed=now, rooms=records)

    def get(self, session: str) -> SessionRecord | None:
        """One session, or None."""
        return next(iter(self._read(select(SESSION).where(SESSION.c.id == session))), None)

    def around(self, now: float, begun: int = BEGUN_SHOWN, to_come: int = TO_COME_SHOWN) -> list[SessionRecord]:
        """Sessions on both sides of `now`, newest first: however full the plan is, those that run are among them.

        Args:
            now: seconds of hub UTC.
            begun: at most so many of those that have begun, the newest.
            to_come: at most so many of those to come, the next.
        """
        past = select(SESSION).where(SESSION.c.epoch <= now).order_by(SESSION.c.epoch.desc(), SESSION.c.id)
        future = select(SESSION).where(SESSION.c.epoch > now).order_by(SESSION.c.epoch, SESSION.c.id.desc())
        return [*reversed(self._read(future.limit(to_come))), *self._read(past.limit(begun))]

    def due(self, by: float) -> list[SessionRecord]:
        """Open sessions that begin before `by`, in seconds of hub UTC."""
        return self._read(select(SESSION).where(~SESSION.c.closed, SESSION.c.epoch <= by).order_by(SESSION.c.epoch))

    def unheld(self) -> list[SessionRecord]:
        """Open sessions of which a device does not hold the newest order."""
        behind = (
            select(SESSION_ROOM.c.session)
            .join_from(SESSION_ROOM, SESSION, SESSION.c.id == SESSION_ROOM.c.session)
            .where(~SESSION.c.closed, SESSION_ROOM.c.held < SESSION.c.rev)
        )
        return self._read(select(SESSION).where(SESSION.c.id.in_(behind)).order_by(SESSION.c.epoch))

    def of_device(self, device: str) -> list[SessionRecord]:
        """Open sessions in which `device` has a part."""
        part = select(SESSION_ROOM.c.session).where(SESSION_ROOM.c.device == device)
        return self._read(
            select(SESSION).where(~SESSION.c.closed, SESSION.c.id.in_(part)).order_by(SESSION.c.epoch),
        )

    def reorder(self, order: SessionOrder, now: float) -> None:
        """Replace the order by a newer revision; every device must be told again."""
        with self._database.write() as connection:
            values = _order_values(order, now)
            connection.execute(update(SESSION).where(SESSION.c.id == order.session).values(closed=False, **values))

    def judge(self, session: str, state: SessionState, words: str, *, closed: bool, now: float) -> None:
        """Keep what the session as a whole has come to."""
        values = {"state": state, "words": words, "closed": closed, "changed": now}
        with self._database.write() as connection:
            connection.execute(update(SESSION).where(SESSION.c.id == session).values(values))

    def save_room(self, session: str, room: RoomRecord) -> None:
        """Keep one room's record."""
        of_room = (SESSION_ROOM.c.session == session) & (SESSION_ROOM.c.room == room.room)
        with self._database.write() as connection:
            connection.execute(update(SESSION_ROOM).where(of_room).values(_room_values(session, room)))

    def _read(self, query: Select[Any]) -> list[SessionRecord]:
        with self._database.read() as connection:
            found = connection.execute(query).all()
            rooms = _rooms(connection, [row.id for row in found])
            return [_record(row, rooms[row.id]) for row in found]


def _order_values(order: SessionOrder, now: float) -> dict[str, Any]:
    return {
        "order": order.model_dump_json(),
        "rev": order.rev,
        "epoch": order.epoch,
        "ends": order.ends,
        "changed": now,
    }


def _room_values(session: str, room: RoomRecord) -> dict[str, Any]:
    return {
        "session": session,
        "room": room.room,
        "device": room.device,
        "held": room.held,
        "state": room.state,
        "words": room.words,
        "incarnation": room.incarnation,
        "issued": room.issued,
        "result": room.result.model_dump_json(by_alias=True) if room.result else None,
        "receipt": room.receipt.model_dump_json() if room.receipt else None,
    }


def _rooms(connection: Connection, sessions: Sequence[str]) -> dict[str, dict[str, RoomRecord]]:
    rooms: dict[str, dict[str, RoomRecord]] = {session: {} for session in sessions}
    for row in connection.execute(select(SESSION_ROOM).where(SESSION_ROOM.c.session.in_(sessions))):
        rooms[row.session][row.room] = RoomRecord(
            room=row.room,
            device=row.device,
            held=row.held,
            state=SessionState(row.state),
            words=row.words,
            incarnation=row.incarnation,
            issued=row.issued,
            result=RoomResult.model_validate_json(row.result) if row.result else None,
            receipt=Envelope.model_validate_json(row.receipt) if row.receipt else None,
        )
    return rooms


def _record(row: Any, rooms: dict[str, RoomRecord]) -> SessionRecord:
    order = SessionOrder.model_validate_json(row.order)
    in_order: Iterable[RoomRecord] = (rooms[one.room] for one in order.rooms)
    return SessionRecord(
        order, SessionState(row.state), row.words, row.closed, row.created, row.changed, tuple(in_order)
    )
