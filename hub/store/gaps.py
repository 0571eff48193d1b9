"""Gaps: rows that count as lost, until one of them comes after all."""

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, delete, insert, select

from hub.store.tables import GAP

Span = tuple[int, int]
"""First and last row of a gap, both in it."""


def without(spans: Iterable[Span], seqs: Iterable[int]) -> list[Span]:
    """What is left of `spans`, which do not overlap, when the rows `seqs` are taken out."""
    left = []
    holes = sorted(seqs)
    for first, last in spans:
        start = first
        for seq in holes:
            if start <= seq <= last:
                if start < seq:
                    left.append((start, seq - 1))
                start = seq + 1
        if start <= last:
            left.append((start, last))
    return left


def close(connection: Connection, keys: set[tuple[str, int]]) -> set[tuple[str, int]]:
    """Take the rows `keys` (stream and seq) out of the declared gaps.

    Returns:
        Those of them that did count as lost.
    """
    lost: set[tuple[str, int]] = set()
    if not keys:
        return lost
    names = {stream for stream, _ in keys}
    for gap in connection.execute(select(GAP).where(GAP.c.stream.in_(names))).all():
        inside = [seq for stream, seq in keys if stream == gap.stream and gap.first <= seq <= gap.last]
        if inside:
            lost |= {(gap.stream, seq) for seq in inside}
            _replace(connection, gap.id, gap.stream, gap.declared, without([(gap.first, gap.last)], inside))
    return lost


def _replace(connection: Connection, gap: int, stream: str, declared: float, left: Sequence[Span]) -> None:
    connection.execute(delete(GAP).where(GAP.c.id == gap))
    pieces = [{"stream": stream, "first": first, "last": last, "declared": declared} for first, last in left]
    if pieces:
        connection.execute(insert(GAP), pieces)
