"""What a room's report changes; pure, and harmless when it comes late, twice or out of order."""

from dataclasses import replace

from contract.signal import RoomReport
from contract.state import FINAL, MOVES, MoveRefused, SessionState, moved
from hub.store.sessions import RoomRecord

KEPT = FINAL | {SessionState.SEALED, SessionState.ENDING}
"""What a room that starts anew does not take back."""


def reported(room: RoomRecord, report: RoomReport, issued: float, incarnation: str) -> RoomRecord:
    """`room` after `report`; the same record where the report says nothing new.

    Args:
        room: what is known.
        report: what came.
        issued: when it was issued, on the device's clock; orders reports of one incarnation
            that a room may go through both ways.
        incarnation: the device's present incarnation, as it said in its hello; empty where unknown.
    """
    result = room.result or report.result
    anew = report.incarnation != room.incarnation
    if anew and room.incarnation and room.incarnation == incarnation and issued <= room.issued:
        return replace(room, result=result)  # told by an earlier life of the agent
    if anew and room.state not in KEPT:
        # The agent was started again: where it stands now counts, not how it came there.
        return _told(room, report, issued, report.state)
    to = reachable(room.state, report.state)
    if to is None or (_both_ways(room.state, report.state) and issued < room.issued):
        return replace(room, result=result)
    return _told(room, report, issued, to)


def reachable(state: SessionState, to: SessionState) -> SessionState | None:
    """`to` if allowed moves lead there from `state`, so that a report lost on the way does no harm; else None."""
    if to is state:
        return to
    seen = {state}
    edge = [state]
    while edge:
        here = edge.pop()
        try:
            return moved(here, to)
        except MoveRefused:
            further = MOVES[here] - seen
            seen |= further
            edge += further
    return None


def _both_ways(state: SessionState, to: SessionState) -> bool:
    return reachable(to, state) is not None


def _told(room: RoomRecord, report: RoomReport, issued: float, state: SessionState) -> RoomRecord:
    return replace(
        room,
        state=state,
        words=report.words,
        incarnation=report.incarnation,
        issued=issued,
        result=report.result or room.result,
        held=max(room.held, report.rev),
    )
