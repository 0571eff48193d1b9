"""The outbox of a light device: in memory, with the numbers, marks and gaps of the one on disk."""

from collections import deque
from collections.abc import Iterator

from agent.report.outbox import Sample
from contract.telemetry import Row, Watermark

KEPT_ROWS = 2000
"""Acknowledged rows that a box keeps, for a hub that was restored; the outbox on disk keeps seven days."""


class Box:
    """Rows of one stream, in order, with contiguous numbers."""

    def __init__(self, stream: str) -> None:
        self.stream = stream
        self.acked = 0
        self._rows: deque[Sample] = deque()
        self._kept = 1
        """Number of the first row that is still there."""

    @property
    def last(self) -> int:
        """Number of the last row; 0 where there was none."""
        return self._kept + len(self._rows) - 1

    @property
    def waiting(self) -> int:
        """Rows that the hub has not acknowledged."""
        return self.last - self.acked

    def put(self, sample: Sample) -> None:
        """Keep a row until the hub has it."""
        self._rows.append(sample)

    def after(self, seq: int, limit: int) -> Iterator[Row]:
        """At most `limit` rows after number `seq`, as they travel."""
        begin = max(seq + 1, self._kept)
        for number in range(begin, min(begin + limit, self.last + 1)):
            one = self._rows[number - self._kept]
            yield Row(
                stream=self.stream,
                seq=number,
                first=self.acked + 1,
                kept=self._kept,
                id=one.id,
                kind=one.kind,
                boot=one.boot,
                mono_ns=one.mono_ns,
                wall=one.wall,
                data=one.data,
            )

    def acknowledge(self, mark: Watermark) -> list[Sample]:
        """Take a watermark of this stream; the rows that it is the first to acknowledge."""
        upto = min(mark.upto, self.last)
        if mark.rewind:
            self.acked = max(min(self.acked, upto), self._kept - 1)
            return []
        fresh = [self._rows[number - self._kept] for number in range(self.acked + 1, upto + 1)]
        self.acked = max(self.acked, upto)
        while self.acked - self._kept >= KEPT_ROWS:
            self._rows.popleft()
            self._kept += 1
        return fresh
