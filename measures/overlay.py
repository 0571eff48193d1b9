"""Several rooms' spans laid over each other: pieces of time in which nothing changes in any room."""

from collections.abc import Sequence
from dataclasses import dataclass

from measures.voices import TINY_S, Span


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch in which every room has one span, or none."""

    start_s: float
    end_s: float
    spans: tuple[Span | None, ...]
    """One a room, in the order of the rooms; None where that room is unknown."""

    @property
    def seconds(self) -> float:
        """Its length, in seconds."""
        return self.end_s - self.start_s

    @property
    def known(self) -> bool:
        """Whether every room is known."""
        return all(one is not None for one in self.spans)

    @property
    def voiced(self) -> bool:
        """Whether anybody is heard in every room at once."""
        return all(one is not None and one.voiced for one in self.spans)


def overlay(rooms: Sequence[Sequence[Span]]) -> list[Piece]:
    """Cut time wherever anything begins or ends in any room.

    Args:
        rooms: tidied spans, one sequence a room.

    Returns:
        Pieces in order, from the first start to the last end; also those in which no room is known.
    """
    edges = sorted({edge for spans in rooms for one in spans for edge in (one.start_s, one.end_s)})
    at = [0] * len(rooms)
    out: list[Piece] = []
    start = edges[0] if edges else 0.0
    for end in edges[1:]:
        if end - start <= TINY_S:
            continue
        middle = (start + end) / 2
        found: list[Span | None] = []
        for number, spans in enumerate(rooms):
            while at[number] < len(spans) and spans[at[number]].end_s <= middle:
                at[number] += 1
            span = spans[at[number]] if at[number] < len(spans) else None
            found.append(span if span is not None and span.start_s <= middle else None)
        out.append(Piece(start, end, tuple(found)))
        start = end
    return out
