"""Spreads packets over time, so that a keyframe never leaves as one burst. Pure: times are arguments, in microseconds.

One pacer a transport. Sound leaves at once; everything else waits for tokens, which come at
1.5 to 2.5 times the target rate. A packet should get its sequence numbers (RTP and
transport-wide) when it is taken, not when it is put: what is dropped here then leaves no gap.

Source: draft-ietf-rmcat-gcc-02, section 4 (a pacer sends in bursts of 5 ms and faster than the target).
"""

from collections import deque
from collections.abc import Callable
from enum import IntEnum
from typing import Generic, TypeVar

Payload = TypeVar("Payload")

SLOWEST = 1.5
"""Rate of leaving over target rate while little waits."""
FASTEST = 2.5
"""Rate of leaving over target rate at most: on a slow link a keyframe would otherwise fill the bottleneck's queue."""
DRAIN_US = 250_000
"""Between the two, the rate is such that the queue drains within this."""
BURST_US = 40_000
"""This much of the target rate may leave at once: one picture at 25 a second. It keeps an ordinary picture on an
idle link from waiting for tokens; a bottleneck would take as long to let it through anyway."""
BURST_MIN_BYTES = 1500
WIDE_BPS = 2_500_000
"""From this target rate on pictures leave at `FASTEST` and in bursts of `WIDE_BURST_US`: on such a link what queues
for it is gone in a few milliseconds, and every twentieth picture would wait here for longer."""
WIDE_BURST_US = 60_000
WAKE_US = 4_000
"""Waiting is done in steps of at least this: fewer wake-ups, several packets each."""
LATE_US = {1: 400_000, 2: 3_000_000, 3: 500_000}
"""A packet of this priority that would wait longer is dropped: a receiver gives a picture up after 200 to 600 ms;
slides are the last to go after sound."""
SOUND_MAX = 100
"""Packets of sound that wait at the most, 2 s of it; where nobody takes them the oldest are dropped."""
REPAIRS_MAX = 512
"""Retransmissions that wait at the most; whoever asks for more at once asks again for those that are dropped."""
SUPERSEDED_US = 100_000
"""Where a track's packets have waited for longer than this, a keyframe takes their place: the link is behind, and
whoever gets the keyframe needs nothing from before it."""


class Priority(IntEnum):
    """Who leaves first."""

    SOUND = 0
    """Leaves at once, whatever the tokens say."""
    REPAIR = 1
    """Retransmissions: a picture waits for them at the far end."""
    SLIDES = 2
    """Pictures of the slides track."""
    CAMERA = 3
    """Pictures of the camera track."""


class _Lane(Generic[Payload]):
    """The queue of one priority: (put at, bytes, picture, keyframe, payload)."""

    __slots__ = ("begun", "bytes", "late_us", "needs_keyframe", "packets")

    def __init__(self, late_us: int) -> None:
        self.packets: deque[tuple[int, int, int, bool, Payload]] = deque()
        self.bytes = 0
        self.late_us = late_us
        self.begun: int | None = None
        """The picture of which some packets have left: it is always sent to its end."""
        self.needs_keyframe = False


class Pacer(Generic[Payload]):
    """A token bucket with four queues, in order of priority."""

    def __init__(
        self,
        target_bps: int,
        on_dropped: Callable[[Priority, int], None] = lambda _priority, _packets: None,
    ) -> None:
        """A pacer without anything in it.

        Args:
            target_bps: see the property.
            on_dropped: told which priority lost how many packets. Pictures go whole and up to the next keyframe;
                if none waits, packets of that track are refused until one comes: ask the encoder for it.
        """
        self.superseded = 0
        """Packets dropped because a keyframe took their place."""
        self._on_dropped = on_dropped
        self._sound: deque[tuple[int, Payload]] = deque()
        self._lanes: tuple[_Lane[Payload], ...] = tuple(_Lane(LATE_US[one]) for one in (1, 2, 3))
        self._waiting_bytes = 0
        self._tokens = 0.0
        self._refilled_us: int | None = None
        self._probe_bps = 0
        self._probe_until_us = 0
        self._target_bps = target_bps
        self._burst_bytes = 0.0
        self._slowest = SLOWEST
        self.target_bps = target_bps
        self._tokens = self._burst_bytes

    @property
    def target_bps(self) -> int:
        """What may leave in the long run, in bits a second; take it from the congestion controller."""
        return self._target_bps

    @target_bps.setter
    def target_bps(self, bps: int) -> None:
        self._target_bps = max(1, bps)
        wide = self._target_bps >= WIDE_BPS
        self._slowest = FASTEST if wide else SLOWEST
        self._burst_bytes = max(BURST_MIN_BYTES, self._target_bps * (WIDE_BURST_US if wide else BURST_US) / 8_000_000)

    @property
    def waiting_bytes(self) -> int:
        """Bytes that wait, sound not counted."""
        return self._waiting_bytes

    def put(
        self,
        size_bytes: int,
        priority: Priority,
        payload: Payload,
        now_us: int,
        *,
        picture: int = 0,
        keyframe: bool = False,
    ) -> bool:
        """Add a packet.

        Args:
            size_bytes: what it will take on the wire.
            priority: who it is.
            payload: given back by `take`.
            now_us: monotonic clock.
            picture: a number that all packets of one picture share and the picture before does not (RTP timestamp).
            keyframe: whether the picture is one; the same for all packets of a picture.

        Returns:
            False where the packet was dropped: its track waits for a keyframe, or too many repairs wait.
        """
        if priority is Priority.SOUND:
            self._sound.append((size_bytes, payload))
            if len(self._sound) > SOUND_MAX:
                self._sound.popleft()
                self._on_dropped(priority, 1)
            return True
        lane = self._lanes[priority - 1]
        if priority is Priority.REPAIR:
            if len(lane.packets) >= REPAIRS_MAX:
                self._on_dropped(priority, 1)
                return False
        else:
            packets = lane.packets
            if packets and now_us - packets[0][0] > lane.late_us:
                self._drop_late(lane, priority, now_us)
            if lane.needs_keyframe:
                if not keyframe:
                    self._on_dropped(priority, 1)
                    return False
                lane.needs_keyframe = False
            if keyframe and packets and packets[-1][2] != picture and now_us - packets[0][0] > SUPERSEDED_US:
                self._supersede(lane)
        lane.packets.append((now_us, size_bytes, picture, keyframe, payload))
        lane.bytes += size_bytes
        self._waiting_bytes += size_bytes
        return True

    def take(self, now_us: int) -> list[Payload]:
        """The packets that may leave now, in order."""
        self._refill(now_us)
        taken: list[Payload] = []
        tokens = self._tokens
        while self._sound:
            size, payload = self._sound.popleft()
            tokens -= size
            taken.append(payload)
        if self._waiting_bytes and tokens > 0:
            for priority, lane in enumerate(self._lanes, 1):
                if lane.packets and now_us - lane.packets[0][0] > lane.late_us:
                    self._drop_late(lane, Priority(priority), now_us)
                packets = lane.packets
                sent = 0
                while packets and tokens > 0:
                    _, size, lane.begun, _, payload = packets.popleft()
                    tokens -= size
                    sent += size
                    taken.append(payload)
                lane.bytes -= sent
                self._waiting_bytes -= sent
        self._tokens = tokens
        return taken

    def next_us(self, now_us: int) -> int | None:
        """When to call `take` again; None where nothing waits. `put` of sound always means: now."""
        if self._sound:
            return now_us
        probing = now_us < self._probe_until_us
        if not self._waiting_bytes and not probing:
            return None
        if self._tokens > 0 and self._waiting_bytes:
            return now_us
        return now_us + max(WAKE_US, int(-self._tokens * 8_000_000 / self._rate_bps(now_us)) + 1)

    def probe(self, bps: int, duration_us: int, now_us: int) -> None:
        """Leave at `bps` for a while, to try the link; `padding_bytes` says what is missing to it."""
        self._refill(now_us)
        self._probe_bps = bps
        self._probe_until_us = now_us + duration_us
        # What the bucket holds would leave on top of the probe and falsify it.
        self._tokens = min(self._tokens, 0.0)

    def padding_bytes(self, now_us: int) -> int:
        """Bytes of padding to send now (after `take`), 0 but while a probe is under way and nothing else waits.

        Repeat recent packets on the RTX stream or send RTP padding; tell what went by `padded`.
        """
        if now_us >= self._probe_until_us or self._waiting_bytes:
            return 0
        self._refill(now_us)
        return max(0, int(self._tokens))

    def padded(self, size_bytes: int) -> None:
        """Padding was sent."""
        self._tokens -= size_bytes

    def waiting_us(self, now_us: int) -> int:
        """For how long the oldest packet has waited, sound not counted."""
        return max((now_us - lane.packets[0][0] for lane in self._lanes if lane.packets), default=0)

    def _rate_bps(self, now_us: int) -> float:
        if now_us < self._probe_until_us:
            return max(self._probe_bps, self._target_bps)
        wanted = self._waiting_bytes * (8_000_000 / DRAIN_US)
        target = self._target_bps
        return min(max(wanted, self._slowest * target), FASTEST * target)

    def _refill(self, now_us: int) -> None:
        if self._refilled_us is None:
            self._refilled_us = now_us
            return
        elapsed_us = now_us - self._refilled_us
        if elapsed_us <= 0:
            return
        self._refilled_us = now_us
        self._tokens = min(self._burst_bytes, self._tokens + self._rate_bps(now_us) * elapsed_us / 8_000_000)

    def _supersede(self, lane: _Lane[Payload]) -> None:
        """Drop what waits before a keyframe, but for a picture that has begun; repairs too: they are asked for anew."""
        for one in (lane, self._lanes[Priority.REPAIR - 1]):
            kept = deque(packet for packet in one.packets if one is lane and packet[2] == lane.begun)
            left = sum(size for _, size, _, _, _ in kept)
            self.superseded += len(one.packets) - len(kept)
            self._waiting_bytes -= one.bytes - left
            one.packets, one.bytes = kept, left

    def _drop_late(self, lane: _Lane[Payload], priority: Priority, now_us: int) -> None:
        """Drop what has waited too long: single packets of repairs; whole pictures, up to the next keyframe.

        A keyframe may wait twice as long: another one instead of it would cost its bits again.
        """
        kept: deque[tuple[int, int, int, bool, Payload]] = deque()
        dropped = 0
        late = True
        for packet in lane.packets:
            at_us, size, picture, keyframe, _ = packet
            if priority is Priority.REPAIR:
                late = now_us - at_us > lane.late_us
            elif late and keyframe and picture != lane.begun and now_us - at_us <= 2 * lane.late_us:
                late = False
            if late and (priority is Priority.REPAIR or picture != lane.begun):
                dropped += 1
                lane.bytes -= size
                self._waiting_bytes -= size
            else:
                kept.append(packet)
        lane.packets = kept
        if not dropped:
            return
        lane.needs_keyframe = late and priority is not Priority.REPAIR
        self._on_dropped(priority, dropped)
