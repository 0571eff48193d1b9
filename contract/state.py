"""Where a session stands: one enum, one table of allowed moves, one function that moves.

Hub and agent use the same words. The hub's state speaks of the whole session,
the agent's of one room in it.
"""

from collections.abc import Mapping
from enum import StrEnum


class SessionState(StrEnum):
    """Where a session, or one room in it, stands."""

    SCHEDULED = "scheduled"
    """Known from the plan; no device is open."""
    READYING = "readying"
    """Devices are being opened and checked."""
    READY = "ready"
    """Picture and sound are there; the rooms may connect."""
    LIVE = "live"
    """Session time is running: sending, receiving and, where the policy says so, recording."""
    ENDING = "ending"
    """Session time is over; files are being closed."""
    SEALED = "sealed"
    """Files are closed and hashed; nothing may be added."""
    UPLOADED = "uploaded"
    """The hub has given a receipt for every file, or the policy asks for no upload."""
    FAILED = "failed"
    """The lesson could not be held or kept; the reason is told in words."""
    CANCELLED = "cancelled"
    """Called off before its end."""


S = SessionState

FINAL: frozenset[SessionState] = frozenset({S.UPLOADED, S.FAILED, S.CANCELLED})
"""States that nothing leaves."""

MOVES: Mapping[SessionState, frozenset[SessionState]] = {
    S.SCHEDULED: frozenset({S.READYING, S.FAILED, S.CANCELLED}),
    S.READYING: frozenset({S.READY, S.LIVE, S.ENDING, S.FAILED, S.CANCELLED}),
    S.READY: frozenset({S.READYING, S.LIVE, S.ENDING, S.FAILED, S.CANCELLED}),
    S.LIVE: frozenset({S.ENDING, S.FAILED, S.CANCELLED}),
    S.ENDING: frozenset({S.SEALED, S.FAILED, S.CANCELLED}),
    S.SEALED: frozenset({S.UPLOADED, S.FAILED, S.CANCELLED}),
    S.UPLOADED: frozenset(),
    S.FAILED: frozenset(),
    S.CANCELLED: frozenset(),
}


class MoveRefused(Exception):
    """A session was asked to go where it cannot go from here."""

    def __init__(self, state: SessionState, to: SessionState) -> None:
        allowed = ", ".join(sorted(MOVES[state])) or "nothing, it is final"
        super().__init__(f"a session that is {state} cannot become {to}; allowed from here: {allowed}")
        self.state = state
        self.to = to


def moved(state: SessionState, to: SessionState) -> SessionState:
    """Return `to`, or raise `MoveRefused` naming both states and what is allowed from here.

    Moving to the same state is not a move and is allowed, so that repeated signals do no harm.
    """
    if to is state or to in MOVES[state]:
        return to
    raise MoveRefused(state, to)
