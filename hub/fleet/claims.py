"""Claims: codes by which machines may become devices, made and confirmed by operators.

Nothing is kept in memory: the command line makes and confirms claims in the same database while the hub runs.
"""

import logging
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from contract.enrolment import code_sha256, new_code
from hub.fleet.errors import ClaimUnfit
from hub.store.claims import ClaimRecord, ClaimState, ClaimTable
from hub.store.devices import DeviceTable

CODE_LIFE_S = 15 * 60.0
"""A code that is used on sight, in seconds."""
SHEET_LIFE_S = 14 * 86_400.0
"""A code for a printed sheet; its first use is confirmed by an operator."""
CONFIRM_S = 7 * 86_400.0
"""How long an operator may take to confirm, at least."""
SHOWN_S = 30 * 86_400.0
"""Claims are listed for this long after their end, in seconds."""
ROOM = re.compile(r"[a-z0-9][a-z0-9-]{1,62}")
LONGEST_TEXT = 100

log = logging.getLogger("hub.fleet")


@dataclass(frozen=True, slots=True)
class NewClaim:
    """A room for which a code is wanted."""

    school: str
    room: str
    name: str = ""

    def wrong(self) -> str:
        """What is wrong with it in itself, in words; empty where nothing is."""
        if not ROOM.fullmatch(self.room):
            return (
                f"{self.room!r} cannot be a room; use 2 to 63 lower-case letters, digits and hyphens, as chengguan-301"
                if self.room
                else "the room is missing"
            )
        if not self.school.strip():
            return "the school is missing"
        for what, text in (("the school's name", self.school), ("the room's name", self.name)):
            if len(text) > LONGEST_TEXT or not text.isprintable():
                return f"{what} is longer than {LONGEST_TEXT} signs or holds some that cannot be printed"
        return ""


@dataclass(frozen=True, slots=True)
class MadeClaim:
    """A new code, shown this once."""

    asked: NewClaim
    code: str
    expires: float
    """Seconds of hub UTC."""


class Claims:
    """Makes, lists and confirms claims. Thread-safe.

    Args:
        table: where claims are kept.
        devices: which rooms are taken.
        now: hub UTC in seconds.
        code: makes a code.
    """

    def __init__(
        self,
        table: ClaimTable,
        devices: DeviceTable,
        now: Callable[[], float],
        code: Callable[[], str] = new_code,
    ) -> None:
        self._table = table
        self._devices = devices
        self._now = now
        self._code = code

    def faults(self, asked: Iterable[NewClaim]) -> list[tuple[int, str]]:
        """What keeps codes from being made, by place in `asked`; empty where all can be.

        A room that has a device is no place for another: that device is revoked first.
        """
        rooms = self._named(asked)
        holders = self._devices.holders()
        times = Counter(one.room for one in rooms)
        found: list[tuple[int, str]] = []
        for at, one in enumerate(rooms):
            if words := one.wrong():
                found.append((at, words))
            elif times[one.room] > 1:
                found.append((at, f"room {one.room} stands here {times[one.room]} times"))
            elif one.room in holders:
                found.append((at, f"room {one.room} has device {holders[one.room]}; revoke that first"))
        return found

    def make(self, asked: Sequence[NewClaim], *, confirm: bool, by: str) -> list[MadeClaim]:
        """Make a code for each room, or none at all; codes that were open for these rooms end.

        A room that is known keeps its name and school where none is given.

        Args:
            asked: the rooms, each once.
            confirm: whether an operator must confirm the first use; then the codes live 14 days, else 15 minutes.
            by: who wants them, for the log.

        Raises:
            ClaimUnfit: there are faults.
        """
        rooms = self._named(asked)
        if faults := self.faults(rooms):
            raise ClaimUnfit("; ".join(words for _, words in faults[:5]), "mend it, then ask again")
        now = self._now()
        expires = now + (SHEET_LIFE_S if confirm else CODE_LIFE_S)
        made = [MadeClaim(one, self._code(), expires) for one in rooms]
        self._table.add([_record(one, now, confirm=confirm) for one in made])
        log.info("claim codes made by %s for %s", by, ", ".join(one.room for one in asked))
        return made

    def _named(self, asked: Iterable[NewClaim]) -> list[NewClaim]:
        """The rooms with what was said of them last, where nothing is said now."""
        rooms = list(asked)
        if all(one.name and one.school.strip() for one in rooms):
            return rooms
        told = [(one.registered, one.room, one.name, one.school) for one in self._devices.all()]
        told += [(one.created, one.room, one.name, one.school) for one in self._table.of_rooms(0.0)]
        names: dict[str, str] = {}
        schools: dict[str, str] = {}
        for _, room, name, school in sorted(told):
            names[room] = name or names.get(room, "")
            schools[room] = school or schools.get(room, "")
        return [
            NewClaim(
                one.school if one.school.strip() else schools.get(one.room, ""),
                one.room,
                one.name or names.get(one.room, ""),
            )
            for one in rooms
        ]

    def all(self) -> list[ClaimRecord]:
        """The newest claim of each room that had one lately, by school and room."""
        return self._table.of_rooms(self._now() - SHOWN_S)

    def waiting(self) -> list[ClaimRecord]:
        """Claims that an operator must confirm now."""
        return self._table.waiting(self._now())

    def confirm(self, room: str, by: str) -> ClaimRecord:
        """Let the machine that showed the room's code first have the room; doing so again is harmless.

        Raises:
            ClaimUnfit: no machine waits for this room.
        """
        now = self._now()
        claim = self._table.newest(room)
        state = claim.state(now) if claim is not None else ClaimState.ENDED
        if claim is None or state in {ClaimState.OPEN, ClaimState.ENDED}:
            why = "nobody has shown its code yet" if state is ClaimState.OPEN else "it has no code that still counts"
            raise ClaimUnfit(
                f"no machine waits for room {room[:80]}: {why}", "list the claims with: tongtang hub claims"
            )
        if state is ClaimState.USED:
            return claim
        confirmed = self._table.confirm(claim.code_sha256, now)
        log.info(
            "machine %s at %s is confirmed for room %s by %s", claim.machine or "?", claim.address or "?", room, by
        )
        return confirmed


def _record(made: MadeClaim, now: float, *, confirm: bool) -> ClaimRecord:
    one = made.asked
    return ClaimRecord(
        code_sha256=code_sha256(made.code),
        room=one.room,
        name=one.name,
        school=one.school,
        created=now,
        expires=made.expires,
        needs_confirming=confirm,
    )
