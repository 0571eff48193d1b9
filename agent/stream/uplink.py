"""Everything that leaves on one transport: paced, numbered, and governed by what the other end reports.

One `Uplink` a transport. Packets are put by the senders of all tracks; they get their numbers
and their time when they leave, so that what is dropped while it waits leaves no gap.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Protocol

from agent.stream.congestion.controller import CongestionController
from agent.stream.pacer import Pacer, Priority
from agent.stream.twcc import FeedbackBuilder, parse_feedback, take_feedback

START_BPS = 2_500_000
"""What may leave before anything is known of the link."""
MIN_BPS = 60_000
"""Never less: sound and its reports need it."""
MAX_BPS = 12_000_000
"""Never more, however good the link."""
TICK_S = 0.05
"""How often rates, probes and feedback are looked at."""
SMOOTH = TICK_S / 2.0
"""Share of a tick in the smoothed rates: they follow over 2 s."""
LAG_FADES = 0.95
"""Each tick: half is forgotten in 0.7 s."""
BUSY_TIMES = 3.0
BUSY_MAX_MS = 300.0
"""Waits of up to three times the lateness of either event loop, and up to this, are the machines' doing."""
PADDING_MAX = 20
"""Packets of padding at once at the most."""


class Parcel(Protocol):
    """One packet that waits to leave."""

    def serialize(self, transport_sequence: int, now_ns: int) -> bytes:
        """The packet's bytes, made at the moment it leaves."""

    @property
    def pads(self) -> bool:
        """Whether packets of its stream may be sent again as padding."""

    def padding(self) -> "Parcel | None":
        """A packet of the same stream that may be sent again as padding; None where there is none."""


class Uplink:
    """Paces and counts what leaves. Belongs to one event loop; sends at once, in the caller's time, what may leave."""

    def __init__(
        self,
        send: Callable[[bytes], None],
        on_dropped: Callable[[Priority, int], None],
        mono_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        """Prepare.

        Args:
            send: encrypts and sends one RTP or RTCP packet at once; raises ConnectionError where the transport is gone.
            on_dropped: told which kind lost how many packets because they waited too long.
            mono_ns: this device's monotonic clock.
        """
        self.controller = CongestionController(START_BPS, MIN_BPS, MAX_BPS)
        self.closed = False
        """The transport is gone."""
        self._send = send
        self._mono_ns = mono_ns
        self._pacer: Pacer[Parcel] = Pacer(START_BPS, on_dropped)
        self._sequence = 0
        self.other_lag_ms = 0.0
        """How late the other end's event loop is, as it told."""
        self._lag_ms = 0.0
        self._last: Parcel | None = None
        self._put_bits: dict[Priority, float] = dict.fromkeys(Priority, 0.0)
        self._rates: dict[Priority, float] = dict.fromkeys(Priority, 0.0)
        self._timer: asyncio.TimerHandle | None = None
        self._arrivals = FeedbackBuilder()
        self._ssrcs = (0, 0)

    @property
    def target_bps(self) -> int:
        """What may leave in the long run, in bit/s."""
        return self.controller.target_bps

    @property
    def lag_ms(self) -> float:
        """How late this end's event loop was lately, in ms: the most of the last second or so, fading."""
        return self._lag_ms

    @property
    def waiting_ms(self) -> float:
        """For how long the oldest packet has waited to leave, sound not counted, in ms."""
        return self._pacer.waiting_us(self._mono_ns() // 1000) / 1000

    def put(self, size_bytes: int, priority: Priority, parcel: Parcel, *, picture: int, keyframe: bool) -> None:
        """Queue one packet, which leaves with the next `flow`.

        The pacer drops what would wait too long; without a transport nothing is queued.
        """
        if self.closed:
            return
        now_us = self._mono_ns() // 1000
        self._put_bits[priority] += size_bytes * 8
        self._pacer.put(size_bytes, priority, parcel, now_us, picture=picture, keyframe=keyframe)

    def sent_bps(self, priority: Priority) -> int:
        """What was put lately with this priority, in bit/s, smoothed over about two seconds."""
        return int(self._rates[priority])

    def arrived(self, transport_sequence: int, sender_ssrc: int, media_ssrc: int) -> None:
        """A packet of the other end came; it is told so with the next feedback."""
        self._ssrcs = (sender_ssrc, media_ssrc)
        self._arrivals.arrived(transport_sequence, self._mono_ns() // 1000)

    def take_rtcp(self, compound: bytes) -> bytes:
        """Take transport-wide feedback out of an RTCP compound; the rest is returned for aiortc.

        Raises:
            ValueError: the compound is damaged.
        """
        feedbacks, rest = take_feedback(compound)
        now_us = self._mono_ns() // 1000
        for one in feedbacks:
            self.controller.feedback(parse_feedback(one), now_us)
        if feedbacks:
            self._pacer.target_bps = self.controller.target_bps
        return rest

    def flow(self) -> None:
        """Send what may leave now, and come back by itself for the rest; call it after `put`."""
        if self.closed:
            return
        try:
            now_us = self._mono_ns() // 1000
            for parcel in self._pacer.take(now_us):
                self._leave(parcel)
            self._pad(now_us)
        except ConnectionError:
            self.closed = True
            return
        except BaseException:
            self.closed = True  # told once, and not with every packet to come
            raise
        self._come_back(self._pacer.next_us(now_us))

    async def run(self) -> None:
        """Look at rates and probes, and tell what arrived, until cancelled or the transport is gone."""
        try:
            await self._tick()
        except ConnectionError:
            pass
        finally:
            self.closed = True
            self._come_back(None)

    def _leave(self, parcel: Parcel) -> int:
        now_ns = self._mono_ns()
        sequence = self._sequence
        self._sequence = (sequence + 1) & 0xFFFF
        data = parcel.serialize(sequence, now_ns)
        if parcel.pads:
            self._last = parcel
        self.controller.sent(sequence, len(data), now_ns // 1000)
        self._send(data)
        return len(data)

    def _pad(self, now_us: int) -> None:
        for _ in range(PADDING_MAX):
            if self._pacer.padding_bytes(now_us) <= 0:
                return
            parcel = self._last.padding() if self._last is not None else None
            if parcel is None:
                return
            self._pacer.padded(self._leave(parcel))

    async def _tick(self) -> None:
        before_us = self._mono_ns() // 1000
        while not self.closed:
            await asyncio.sleep(TICK_S)
            now_us = self._mono_ns() // 1000
            late_ms = (now_us - before_us) / 1000 - TICK_S * 1000
            before_us = now_us
            self._lag_ms = max(late_ms, self._lag_ms * LAG_FADES)
            busy_ms = min(BUSY_MAX_MS, BUSY_TIMES * max(self._lag_ms, self.other_lag_ms))
            self.controller.busy_us = int(busy_ms * 1000)
            for priority, bits in self._put_bits.items():
                self._rates[priority] += SMOOTH * (bits / TICK_S - self._rates[priority])
                self._put_bits[priority] = 0.0
            self.controller.tick(now_us)
            if (probe := self.controller.probe(now_us)) is not None:
                self._pacer.probe(probe.bps, probe.duration_us, now_us)
                self.flow()
            self._pacer.target_bps = self.controller.target_bps
            if self._arrivals.due(now_us):
                for packet in self._arrivals.build(*self._ssrcs, now_us):
                    self._send(packet)

    def _come_back(self, due_us: int | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if due_us is not None:
            left_s = max(0.0, (due_us - self._mono_ns() // 1000) / 1e6)
            self._timer = asyncio.get_running_loop().call_later(left_s, self.flow)
