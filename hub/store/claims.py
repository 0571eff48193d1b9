"""Claim codes: by their hash, who may use each, and who has."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import insert, select, update

from hub.store.engine import Database
from hub.store.tables import CLAIM


class ClaimState(StrEnum):
    """Where a claim stands."""

    OPEN = "open"
    """Nobody has shown the code yet."""
    WAITING = "waiting"
    """A machine has shown it; an operator must confirm."""
    USED = "used"
    """It has made a device, or will as soon as its machine asks again."""
    ENDED = "ended"
    """Too old, or replaced by a newer one for the same room."""


@dataclass(frozen=True, slots=True)
class ClaimRecord:
    """One claim code. Times are seconds of hub UTC."""

    code_sha256: str
    room: str
    name: str
    school: str
    created: float
    expires: float
    """Unused or unconfirmed, it is good until then."""
    needs_confirming: bool
    device: str = ""
    """What came of it; empty before."""
    confirmed: float | None = None
    used: float | None = None
    """When it was shown first."""
    public_key: str | None = None
    """PEM; whose it is since."""
    machine: str = ""
    address: str = ""

    def state(self, now: float) -> ClaimState:
        """Where it stands at `now`."""
        if self.used is not None and (self.confirmed is not None or not self.needs_confirming):
            return ClaimState.USED
        if now > self.expires:
            return ClaimState.ENDED
        return ClaimState.OPEN if self.used is None else ClaimState.WAITING


class ClaimTable:
    """Claims by the hash of their code. Thread-safe; nothing is remembered: the command line writes here, too."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, claims: Sequence[ClaimRecord]) -> None:
        """Store new claims, all or none; what was open or waiting for their rooms ends."""
        rooms = [one.room for one in claims]
        unfinished = CLAIM.c.used.is_(None) | (CLAIM.c.needs_confirming & CLAIM.c.confirmed.is_(None))
        with self._database.write() as connection:
            for at in range(0, len(claims), 500):
                among = CLAIM.c.room.in_(rooms[at : at + 500])
                alive = CLAIM.c.expires > claims[at].created
                # Just before now: the new code counts from now on, the old one must not.
                connection.execute(
                    update(CLAIM).where(among & unfinished & alive).values(expires=claims[at].created - 1)
                )
                new = [{column.name: getattr(one, column.name) for column in CLAIM.c} for one in claims[at : at + 500]]
                connection.execute(insert(CLAIM), new)

    def get(self, code_sha256: str) -> ClaimRecord | None:
        """The claim with this hash, or None."""
        with self._database.read() as connection:
            found = connection.execute(select(CLAIM).where(CLAIM.c.code_sha256 == code_sha256)).mappings().first()
        return ClaimRecord(**found) if found is not None else None

    def take(self, code_sha256: str, key: str, machine: str, address: str, now: float, until: float) -> ClaimRecord:
        """Note who shows the code, where nobody has; returns the claim as it is then, whoever was first.

        Args:
            code_sha256: of a claim that exists.
            key: public key of the machine, PEM.
            machine: its fingerprint.
            address: where it asks from.
            now: hub UTC.
            until: how long an operator may take to confirm it, at least.
        """
        one = CLAIM.c.code_sha256 == code_sha256
        free = one & CLAIM.c.used.is_(None) & (CLAIM.c.expires >= now)
        values = {"used": now, "public_key": key, "machine": machine, "address": address}
        with self._database.write() as connection:
            if connection.execute(update(CLAIM).where(free).values(values)).rowcount:
                short = one & CLAIM.c.needs_confirming & (CLAIM.c.expires < until)
                connection.execute(update(CLAIM).where(short).values(expires=until))
            return ClaimRecord(**connection.execute(select(CLAIM).where(one)).mappings().one())

    def became(self, code_sha256: str, device: str) -> None:
        """Note which device came of it."""
        with self._database.write() as connection:
            connection.execute(update(CLAIM).where(CLAIM.c.code_sha256 == code_sha256).values(device=device))

    def confirm(self, code_sha256: str, now: float) -> ClaimRecord:
        """An operator confirms its first use; returns the claim as it is then."""
        one = CLAIM.c.code_sha256 == code_sha256
        waits = one & CLAIM.c.used.is_not(None) & CLAIM.c.confirmed.is_(None) & (CLAIM.c.expires >= now)
        with self._database.write() as connection:
            connection.execute(update(CLAIM).where(waits).values(confirmed=now))
            return ClaimRecord(**connection.execute(select(CLAIM).where(one)).mappings().one())

    def of_rooms(self, since: float) -> list[ClaimRecord]:
        """Claims that were made or still good after `since`; the newest of each room, by school and room."""
        wanted = select(CLAIM).where((CLAIM.c.expires >= since) | (CLAIM.c.used >= since)).order_by(CLAIM.c.created)
        with self._database.read() as connection:
            newest = {row["room"]: ClaimRecord(**row) for row in connection.execute(wanted).mappings()}
        return sorted(newest.values(), key=lambda one: (one.school, one.room))

    def waiting(self, now: float) -> list[ClaimRecord]:
        """Claims that wait for an operator at `now`, by school and room."""
        waits = CLAIM.c.needs_confirming & CLAIM.c.used.is_not(None) & CLAIM.c.confirmed.is_(None)
        wanted = select(CLAIM).where(waits & (CLAIM.c.expires >= now)).order_by(CLAIM.c.school, CLAIM.c.room)
        with self._database.read() as connection:
            return [ClaimRecord(**row) for row in connection.execute(wanted).mappings()]

    def newest(self, room: str) -> ClaimRecord | None:
        """The newest claim for `room`, or None."""
        wanted = select(CLAIM).where(CLAIM.c.room == room).order_by(CLAIM.c.created.desc()).limit(1)
        with self._database.read() as connection:
            found = connection.execute(wanted).mappings().first()
        return ClaimRecord(**found) if found is not None else None
