"""The few figures that are told while a lesson runs: from the voices of this room and of those that tell theirs."""

import math
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from contract.observation import Observation
from measures.figure import Figure
from measures.lesson import RECENT_S, measure_lesson
from measures.voices import Role, RoomVoices, Span, Voice

LATE_S: Final = 30.0
"""Voices are told up to 20 s late, and take a little to come from another room: so long their time is not missing."""
AHEAD_S: Final = 5.0
"""A voice further in the future than this, in seconds, is none."""
LONGEST_S: Final = 60.0
"""Nor is a longer one; agents tell pieces of 10 s."""
KEPT_S: Final = RECENT_S + 2 * LATE_S
"""What ended longer ago than this is forgotten."""
MOST_SPANS: Final = 4_000
"""Spans kept of one room, six a second; of more the earliest are forgotten."""


@dataclass(frozen=True, slots=True)
class Heard:
    """All that is known at one moment; nothing changes it any more."""

    t: float
    """The moment, in session time."""
    start_s: float
    """Beginning of the stretch that is measured, in session time."""
    end_s: float
    """Its end: up to where every room has told, or `LATE_S` ago."""
    rooms: tuple[RoomVoices, ...]
    clock_error_s: float
    """Bound of the error of one room's clock against another's."""


@dataclass(frozen=True, slots=True)
class LiveSummary:
    """What is told every few seconds."""

    t: float
    start_s: float
    end_s: float
    figures: Mapping[str, Figure]
    """`talk_share`, `far_share`, `far_rooms` and `longest_wait` of `measures.lesson.Live`."""

    def to_json(self) -> dict[str, Any]:
        """All of it as what JSON knows."""
        return {
            "t": round(self.t, 3),
            "start_t": round(self.start_s, 3),
            "end_t": round(self.end_s, 3),
            "figures": {name: figure.to_json() for name, figure in self.figures.items()},
        }


@dataclass(frozen=True, slots=True)
class _Told:
    span: Span
    error_s: float


class LiveVoices:
    """Holds the voices of the last minutes of each room of a session; says what they come to. Belongs to one thread.

    What a room does not tell is unknown, and stays so until it does: a room that is away takes its part of the figures
    with it, by their coverage.
    """

    def __init__(self, rooms: Mapping[str, Role], me: str) -> None:
        """Begin with nothing heard.

        Args:
            rooms: every room of the session and its role.
            me: this room.
        """
        self._roles = dict(rooms)
        self._me = me
        self._told: dict[str, list[_Told]] = {room: [] for room in rooms}

    def hear(self, observation: Observation, now_s: float) -> None:
        """Take an observation of this room; kinds but `voice` are none of ours. `now_s` is session time."""
        voice = voice_of(observation)
        if voice is not None:
            self._keep(self._me, [Span(observation.t, observation.seconds, voice, observation.confidence)], 0.0, now_s)

    def told(self, room: str, spans: Iterable[Span], error_s: float, now_s: float) -> None:
        """Take what another room tells; what cannot be is left out.

        Args:
            room: who tells it, as the connection says.
            spans: its voices, in this room's session time.
            error_s: bound of the error of those times.
            now_s: session time.
        """
        if room in self._roles and room != self._me and math.isfinite(error_s):
            self._keep(room, spans, max(0.0, error_s), now_s)

    def heard(self, now_s: float) -> Heard:
        """All that is known now, for `live_summary`. `now_s` is session time."""
        upto = min((one[-1].span.end_s if one else -math.inf) for one in self._told.values())
        end_s = max(0.0, min(now_s, max(upto, now_s - LATE_S)))
        start_s = max(0.0, end_s - RECENT_S)
        inside = {
            room: [one for one in kept if one.span.end_s > start_s and one.span.start_s < end_s]
            for room, kept in self._told.items()
        }
        # Each error is against this room's clock: between two others they add up.
        errors = sorted(max((one.error_s for one in kept), default=0.0) for kept in inside.values())
        rooms = tuple(
            RoomVoices(room, self._roles[room], tuple(one.span for one in kept)) for room, kept in inside.items()
        )
        return Heard(now_s, start_s, end_s, rooms, sum(errors[-2:]))

    def _keep(self, room: str, spans: Iterable[Span], error_s: float, now_s: float) -> None:
        kept = self._told[room]
        for span in spans:
            if _possible(span, now_s):
                at = bisect_left(kept, span.end_s, key=lambda one: one.span.end_s)
                kept.insert(at, _Told(span, error_s))
        old = bisect_left(kept, now_s - KEPT_S, key=lambda one: one.span.end_s)
        del kept[: max(old, len(kept) - MOST_SPANS)]


def voice_of(observation: Observation) -> Voice | None:
    """Whose voice an observation tells; None where it tells none that we know."""
    name = observation.value.get("voice") if observation.kind == "voice" else None
    return next((one for one in Voice if one.value == name), None)


def live_summary(heard: Heard) -> LiveSummary:
    """Measure what is known; some tens of milliseconds, on any thread."""
    live = measure_lesson(heard.rooms, heard.start_s, heard.end_s, clock_error_s=heard.clock_error_s).live
    figures = {
        "talk_share": live.talk_share,
        "far_share": live.far_share,
        "far_rooms": live.far_rooms,
        "longest_wait": live.longest_wait,
    }
    return LiveSummary(heard.t, heard.start_s, heard.end_s, figures)


def _possible(span: Span, now_s: float) -> bool:
    finite = math.isfinite(span.start_s) and math.isfinite(span.seconds)
    return finite and 0 < span.seconds <= LONGEST_S and now_s - KEPT_S <= span.end_s <= now_s + AHEAD_S
