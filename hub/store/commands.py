"""Commands to devices, and what came of them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Select, bindparam, delete, insert, select, update

from hub.store.engine import Database
from hub.store.tables import COMMAND

IDS_AT_ONCE = 500
"""Ids in one query; a database bounds the variables of a statement."""


class CommandState(StrEnum):
    """Where one command to one device stands."""

    SENT = "sent"
    """Signed and on its way, again and again, until it is answered."""
    DONE = "done"
    """The device did it."""
    FAILED = "failed"
    """The device tried; it did not succeed."""
    REFUSED = "refused"
    """The device did not try."""
    INTERRUPTED = "interrupted"
    """The device began it and was cut off."""
    EXPIRED = "expired"
    """No answer came in time; one that was only late on its way still counts."""


S = CommandState

MOVES: Mapping[CommandState, frozenset[CommandState]] = {
    S.SENT: frozenset({S.DONE, S.FAILED, S.REFUSED, S.INTERRUPTED, S.EXPIRED}),
    S.EXPIRED: frozenset({S.DONE, S.FAILED, S.REFUSED, S.INTERRUPTED}),
    S.DONE: frozenset(),
    S.FAILED: frozenset(),
    S.REFUSED: frozenset(),
    S.INTERRUPTED: frozenset(),
}


def may_become(state: CommandState, to: CommandState) -> bool:
    """Whether a command may go from `state` to `to`; what was answered once stays as it was answered."""
    return to in MOVES[state]


@dataclass(frozen=True, slots=True)
class CommandRecord:
    """One command to one device. Times are seconds of hub UTC."""

    id: str
    """Of its envelope."""
    device: str
    name: str
    envelope: str
    """But for its signature, which is made anew and is the same each time; JSON."""
    operator: str
    """Who asked for it."""
    issued: float
    expires: float
    state: CommandState = CommandState.SENT
    words: str = ""
    result: str | None = None
    """What the device answered (`contract.command.Result`), JSON."""
    finished: float | None = None


@dataclass(frozen=True, slots=True)
class Finish:
    """What came of a command."""

    id: str
    state: CommandState
    words: str
    result: str | None
    finished: float


class CommandTable:
    """Commands by id. Thread-safe."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, commands: Sequence[CommandRecord]) -> None:
        """Store new commands, in one transaction."""
        values = [{column.name: getattr(one, column.name) for column in COMMAND.c} for one in commands]
        with self._database.write() as connection:
            connection.execute(insert(COMMAND), values)

    def finish(self, finished: Sequence[Finish]) -> None:
        """Keep what came of commands, in one transaction."""
        values = [
            {
                "key": one.id,
                "new_state": one.state,
                "new_words": one.words,
                "new_result": one.result,
                "at": one.finished,
            }
            for one in finished
        ]
        change = (
            update(COMMAND)
            .where(COMMAND.c.id == bindparam("key"))
            .values(
                state=bindparam("new_state"),
                words=bindparam("new_words"),
                result=bindparam("new_result"),
                finished=bindparam("at"),
            )
        )
        with self._database.write() as connection:
            connection.execute(change, values)

    def waiting(self) -> list[CommandRecord]:
        """Every command that is not answered yet, the oldest first."""
        return self._read(select(COMMAND).where(COMMAND.c.state == CommandState.SENT).order_by(COMMAND.c.issued))

    def get(self, ids: Iterable[str]) -> dict[str, CommandRecord]:
        """The commands with these ids, those that there are."""
        wanted = list(ids)
        found: dict[str, CommandRecord] = {}
        for start in range(0, len(wanted), IDS_AT_ONCE):
            asked = select(COMMAND).where(COMMAND.c.id.in_(wanted[start : start + IDS_AT_ONCE]))
            found |= {one.id: one for one in self._read(asked)}
        return found

    def find(
        self, device: str | None, state: CommandState | None, since: float | None, limit: int
    ) -> list[CommandRecord]:
        """The newest commands, newest first.

        Args:
            device: only those to this one.
            state: only those that stand there.
            since: only those issued then or later, in seconds of hub UTC.
            limit: at most so many.
        """
        asked = select(COMMAND).order_by(COMMAND.c.issued.desc(), COMMAND.c.id).limit(limit)
        if device is not None:
            asked = asked.where(COMMAND.c.device == device)
        if state is not None:
            asked = asked.where(COMMAND.c.state == state)
        if since is not None:
            asked = asked.where(COMMAND.c.issued >= since)
        return self._read(asked)

    def forget(self, before: float) -> int:
        """Delete commands that were issued before then and are settled; how many there were."""
        old = delete(COMMAND).where(COMMAND.c.issued < before, COMMAND.c.state != CommandState.SENT)
        with self._database.write() as connection:
            return connection.execute(old).rowcount

    def _read(self, asked: Select[tuple[object, ...]]) -> list[CommandRecord]:
        with self._database.read() as connection:
            rows = connection.execute(asked).mappings().all()
        return [CommandRecord(**{**row, "state": CommandState(row["state"])}) for row in rows]
