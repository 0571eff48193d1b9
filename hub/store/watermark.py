"""How far one stream is stored without a hole: pure, no database."""

from dataclasses import dataclass, field

AHEAD_KEPT = 10_000
"""Rows held beyond the watermark of one stream; a device sends at most a small window ahead of it."""


@dataclass(slots=True)
class Mark:
    """One stream's watermark and what is stored beyond it.

    Every seq up to `upto` is stored or declared lost; `beyond` holds those stored after a hole.
    """

    upto: int = 0
    beyond: set[int] = field(default_factory=set)

    def holds(self, seq: int) -> bool:
        """Whether `seq` is stored, or was declared lost."""
        return seq <= self.upto or seq in self.beyond

    def takes(self, seq: int) -> bool:
        """Whether `seq` may be kept: always what closes the hole, beyond it only so many."""
        return seq == self.upto + 1 or len(self.beyond) < AHEAD_KEPT

    def add(self, seq: int) -> None:
        """`seq` is stored; the watermark moves as far as there is no hole."""
        if seq <= self.upto:
            return
        self.beyond.add(seq)
        self._close()

    def declare(self, kept: int) -> list[tuple[int, int]]:
        """The device can send nothing before `kept` any more; move the watermark there.

        Returns:
            The holes that this declares lost, as (first, last); empty where nothing was missing.
        """
        holes = []
        start = self.upto + 1
        for seq in sorted(one for one in self.beyond if one < kept):
            if start < seq:
                holes.append((start, seq - 1))
            start = seq + 1
        if start < kept:
            holes.append((start, kept - 1))
        if kept - 1 > self.upto:
            self.upto = kept - 1
            self.beyond = {seq for seq in self.beyond if seq >= kept}
        self._close()
        return holes

    def lacks(self, first: int) -> bool:
        """Whether the device, whose oldest unacknowledged row is `first`, was told of rows that are not here.

        Only a database that was restored from a backup knows less than it once acknowledged.
        """
        return first > self.upto + 1

    def copy(self) -> "Mark":
        """A copy to work on until the commit."""
        return Mark(self.upto, set(self.beyond))

    def _close(self) -> None:
        while self.upto + 1 in self.beyond:
            self.upto += 1
            self.beyond.remove(self.upto)
