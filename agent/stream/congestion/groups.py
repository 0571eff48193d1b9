"""Packets that left together are one sample of delay: a picture's packets queue behind each other."""

from dataclasses import dataclass

BURST_US = 5_000
"""Packets that leave within this belong together."""
BURST_MAX_US = 100_000
GAP_US = 3_000_000
"""After a silence of this, delays before and after are not compared."""


@dataclass(slots=True)
class _Group:
    first_sent_us: int
    last_sent_us: int
    first_arrival_us: int
    last_arrival_us: int


class ArrivalGroups:
    """Makes groups of packets and compares each with the one before.

    Source: draft-ietf-rmcat-gcc-02, section 5.2 (pre-filtering); a packet that also closes up on its group
    belongs to it, as in WebRTC's InterArrivalDelta: it was held up and let go together with it.
    """

    def __init__(self) -> None:
        self._group: _Group | None = None
        self._before: _Group | None = None

    def add(self, sent_us: int, arrival_us: int) -> tuple[int, int] | None:
        """Take a packet, in order of arrival.

        Returns:
            Where this packet completes a group: how much later that group was sent and how much later it arrived
            than the one before, in microseconds. Else None.
        """
        group = self._group
        if group is None:
            self._group = _Group(sent_us, sent_us, arrival_us, arrival_us)
            return None
        if sent_us < group.first_sent_us:
            return None
        if arrival_us - group.last_arrival_us > GAP_US or arrival_us < group.last_arrival_us - GAP_US:
            self._before = None
            self._group = _Group(sent_us, sent_us, arrival_us, arrival_us)
            return None
        if sent_us - group.first_sent_us <= BURST_US or self._closes_up(group, sent_us, arrival_us):
            group.last_sent_us = max(group.last_sent_us, sent_us)
            group.last_arrival_us = max(group.last_arrival_us, arrival_us)
            return None
        before = self._before
        self._before = group
        self._group = _Group(sent_us, sent_us, arrival_us, arrival_us)
        if before is None:
            return None
        return group.last_sent_us - before.last_sent_us, group.last_arrival_us - before.last_arrival_us

    @staticmethod
    def _closes_up(group: _Group, sent_us: int, arrival_us: int) -> bool:
        later_us = arrival_us - group.last_arrival_us
        return (
            later_us <= BURST_US
            and later_us < sent_us - group.last_sent_us
            and arrival_us - group.first_arrival_us < BURST_MAX_US
        )
