"""Which packets left when, until the far end has told what became of them."""

from dataclasses import dataclass, field

from agent.stream.twcc import REFERENCE_WRAP_US, Feedback

CAPACITY = 8192
"""Packets remembered, a power of two; at 10 Mbit/s about 8 s. Older ones count neither as arrived nor as lost."""

_FREE, _FLYING, _MISSED = 0, 1, 2


@dataclass(slots=True)
class Told:
    """What one feedback says about packets that were really sent."""

    arrived: list[tuple[int, int, int]] = field(default_factory=list)
    """In order of arrival: arrival in us (receiver's clock), sending in us (own clock), size in bytes."""
    lost: int = 0
    """Packets missed for the first time."""
    bursts: int = 0
    """Runs of neighbours among them."""
    found: int = 0
    """Packets that were told as lost before and came after all."""
    newest_sent_us: int = 0
    """When the newest of the packets that arrived was sent; 0 where none did."""


class SentPackets:
    """A ring of the last packets of one transport, by their transport-wide sequence number."""

    def __init__(self) -> None:
        self.last_sent_us: int | None = None
        self.newest_told_us = 0
        """When the newest packet that a feedback spoke of was sent."""
        self._sequences = [0] * CAPACITY
        self._sent_us = [0] * CAPACITY
        self._sizes = [0] * CAPACITY
        self._states = bytearray(CAPACITY)
        self._arrival_us: int | None = None
        self._turns_us = 0

    @property
    def flying(self) -> bool:
        """Whether packets have left that no feedback has spoken of."""
        return self.last_sent_us is not None and self.last_sent_us > self.newest_told_us

    def sent(self, sequence: int, size_bytes: int, now_us: int) -> None:
        """Note a packet that leaves now."""
        slot = sequence & (CAPACITY - 1)
        self._sequences[slot] = sequence
        self._sent_us[slot] = now_us
        self._sizes[slot] = size_bytes
        self._states[slot] = _FLYING
        self.last_sent_us = now_us

    def told(self, feedback: Feedback) -> Told:
        """Match a feedback with what was sent; each packet is told as arrived once and as lost once."""
        result = Told()
        arrived = result.arrived
        states, sequences, sent_us = self._states, self._sequences, self._sent_us
        in_burst = False
        newest_sent_us = newest_told_us = 0
        for sequence, arrival_us in feedback.packets:
            slot = sequence & (CAPACITY - 1)
            state = states[slot]
            if not state or sequences[slot] != sequence:
                in_burst = False
                continue
            at_us = sent_us[slot]
            newest_told_us = max(newest_told_us, at_us)
            if arrival_us is None:
                if state == _FLYING:
                    states[slot] = _MISSED
                    result.lost += 1
                    result.bursts += not in_burst
                    in_burst = True
                continue
            in_burst = False
            result.found += state == _MISSED
            states[slot] = _FREE
            newest_sent_us = max(newest_sent_us, at_us)
            arrived.append((arrival_us, at_us, self._sizes[slot]))
        self.newest_told_us = max(self.newest_told_us, newest_told_us)
        result.newest_sent_us = newest_sent_us
        if arrived:
            turns_us = self._turns(arrived[0][0])
            if turns_us:
                result.arrived = arrived = [(at + turns_us, sent, size) for at, sent, size in arrived]
            arrived.sort()
        return result

    def _turns(self, arrival_us: int) -> int:
        """What to add to the receiver's clock, whose reference starts over every 12.4 days."""
        if self._arrival_us is not None:
            step_us = arrival_us - self._arrival_us
            if step_us < -REFERENCE_WRAP_US // 2:
                self._turns_us += REFERENCE_WRAP_US
            elif step_us > REFERENCE_WRAP_US // 2:
                self._turns_us -= REFERENCE_WRAP_US
        self._arrival_us = arrival_us
        return self._turns_us
