"""The ladders of one room: what follows from each for sending, asking and telling, and all of them together."""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from agent.stream.ladder import LOSS_WINDOW_S, Look, Standing, Told, begin, step
from agent.stream.rung import Rung, Why, Words, sends_camera, words_for
from contract.session import Role

PIECES_HZ = 50
"""Sound travels in pieces of 20 ms."""


class LossShare:
    """Share of a room's sound that was lost for good over the last `LOSS_WINDOW_S`."""

    def __init__(self) -> None:
        self._counts: deque[tuple[float, int]] = deque()

    def share(self, lost: int, now_s: float) -> float:
        """The share, 0 to 1.

        Args:
            lost: pieces lost so far, over all joins.
            now_s: monotonic clock, in seconds.
        """
        self._counts.append((now_s, lost))
        while len(self._counts) > 1 and self._counts[1][0] <= now_s - LOSS_WINDOW_S:
            self._counts.popleft()
        return min(1.0, max(0.0, (lost - self._counts[0][1]) / (LOSS_WINDOW_S * PIECES_HZ)))


@dataclass(frozen=True, slots=True)
class Stand:
    """What follows for one other room: what to send, what to ask, what to tell."""

    rung: Rung
    since_s: float
    """When the rung was reached, in seconds of the monotonic clock."""
    why: Why
    send_camera: bool
    """Whether our camera may go to that room."""
    ask_camera_off: bool
    """Whether the other side should stop its camera; one that reads `told` knows it from there."""
    probe_bps: int
    """What congestion control should try to reach now, in bit/s; 0 where there is nothing to try."""
    told: Told
    """What to tell the other side every 0.5 s and at each change."""
    words: Words
    """For the teacher in this room."""


def stand_of(standing: Standing, role: Role) -> Stand:
    """What follows from a standing for a room in this role."""
    other = Role.RECEIVING if role is Role.LEAD else Role.LEAD
    return Stand(
        rung=standing.rung,
        since_s=standing.since_s,
        why=standing.why,
        send_camera=sends_camera(role, standing.joint),
        ask_camera_off=not sends_camera(other, standing.joint),
        probe_bps=standing.probe_bps,
        told=standing.told,
        words=words_for(role, standing.rung, standing.why, unheard=standing.unheard),
    )


def rung_event(peer: str, stand: Stand, before: Rung) -> dict[str, str]:
    """What the event `lesson.rung` says of a change, beside session, room and session time.

    Args:
        peer: the other room.
        stand: where it stands now.
        before: the rung before.
    """
    return {
        "peer": peer,
        "rung": str(stand.rung),
        "before": str(before),
        "why": str(stand.why),
        "words_zh": stand.words.zh,
        "words_en": stand.words.en,
    }


OnRung = Callable[[str, Stand, Rung], None]
"""Is told (other room, where it stands now, the rung before) at each change of a rung."""


class Ladders:
    """The ladders of one room, one for each other room. Belongs to one event loop."""

    def __init__(self, role: Role, rooms: Iterable[str], now_s: float, on_rung: OnRung) -> None:
        """Every room is joining.

        Args:
            role: of this room.
            rooms: the other rooms.
            now_s: monotonic clock, in seconds.
            on_rung: is told of each change.
        """
        self.role = role
        self._on_rung = on_rung
        self._standings = {room: begin(now_s) for room in rooms}
        self.stands: dict[str, Stand] = {room: stand_of(one, role) for room, one in self._standings.items()}
        """Where each other room stands."""

    def look(self, room: str, look: Look, now_s: float) -> Stand:
        """Take a look at the link with one room; returns what follows."""
        before = self._standings[room]
        after = self._standings[room] = step(before, look, self.role, now_s)
        stand = self.stands[room] = stand_of(after, self.role)
        if after.rung is not before.rung:
            self._on_rung(room, stand, before.rung)
        return stand


@dataclass(frozen=True, slots=True)
class WholeRoom:
    """Where a room stands with all others together."""

    rung: Rung
    room: str
    """The other room that decides it."""
    cut_off: tuple[str, ...]
    """Other rooms that are alone while at least one is not."""
    words: Words


def whole_room(stands: Mapping[str, Stand], names: Mapping[str, str]) -> WholeRoom | None:
    """Put all other rooms together; None where there is none.

    The best rule decides on being alone: a teacher who still reaches one class does not teach
    alone. Among the rooms in reach the worst rule decides: what the weakest cannot see,
    the teacher should not count on. Rooms that are cut off are named in the words.

    Args:
        stands: by other room.
        names: what people call each room.
    """
    if not stands:
        return None
    reached = {room: stand for room, stand in stands.items() if stand.rung is not Rung.ALONE}
    room, worst = max((reached or stands).items(), key=lambda one: one[1].rung.depth)
    called = {one: names.get(one) or one for one in stands}
    words = worst.words
    if len(stands) > 1 and reached and worst.rung is not Rung.BOTH:
        words = Words(f"{called[room]}：{words.zh}", f"{called[room]}: {words.en}")
    cut_off = tuple(one for one in stands if one not in reached) if reached else ()
    if cut_off:
        zh, en = "、".join(called[one] for one in cut_off), ", ".join(called[one] for one in cut_off)
        words = Words(f"{words.zh}；已断开：{zh}", f"{words.en}; cut off: {en}")
    return WholeRoom(worst.rung, room, cut_off, words)
