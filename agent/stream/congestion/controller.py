"""One transport's target rate: what delay, loss, silence and foreign peers' reports allow together."""

import math

from agent.stream.congestion.acknowledged import AcknowledgedRate, StandingQueue
from agent.stream.congestion.competition import CONCEDED, Competition
from agent.stream.congestion.groups import ArrivalGroups
from agent.stream.congestion.history import SentPackets, Told
from agent.stream.congestion.loss import LossPhase, LossRate
from agent.stream.congestion.probe import CALM_US, Probe, Prober
from agent.stream.congestion.rate import DelayRate
from agent.stream.congestion.reported import ReportedRate
from agent.stream.congestion.trendline import DelayTrend, Usage
from agent.stream.twcc import Feedback

RECENT_US = 200_000
FRESH_US = 1_000_000
"""Transport feedback younger than this makes receiver reports and REMB unnecessary."""
SILENCE_US = 750_000
"""With packets under way, no feedback for this long plus a round trip halves the rate (a lost feedback or two
do not), and again after each further `SILENCE_STEP_US`."""
SILENCE_STEP_US = 500_000
REPORTS_SILENCE_US = 12_000_000
REPORTS_SILENCE_STEP_US = 5_000_000
"""The same for a peer that sends no transport feedback: receiver reports come every 5 s or so (RFC 3550, section 6.2),
up to 1.5 times later by chance, and one of them may get lost."""
RETURN = 0.6
"""After silence the rate goes back to this share of what it was, and a probe does the rest."""
OVERFLOW_US = 1_000_000
"""Loss this soon after overuse is the overflow of the queue, which the delay has already answered."""
REAL_US = 20_000
"""Where even the fastest packet of the last `LEAST_WITHIN_US` waited for less, no link is full: a busy machine holds
packets up now and then, a full link holds up every one."""
DRAIN_FROM_US = 50_000
DRAIN_US = 1_000_000
"""After overuse a queue longer than `DRAIN_FROM_US` is emptied within about this, at the cost of a third of the rate
at most."""
DRAIN_SHARE = 0.35
DRAIN_FOR_US = 2_000_000
TRIP_MS = 100.0


class CongestionController:
    """Google congestion control at the sender of one transport (draft-ietf-rmcat-gcc-02).

    All times are the sender's monotonic clock in microseconds; sizes are bytes on the wire of everything that
    carries a transport-wide sequence number, retransmissions and padding included.
    """

    def __init__(self, start_bps: int, min_bps: int, max_bps: int) -> None:
        self.wanted_bps = max_bps
        """What the sender could use; no probe goes beyond it. Set it to the sum of the tracks' full rates."""
        self.expects_feedback = True
        """Whether the other end sends transport feedback; set it to False where that was not agreed on."""
        self.busy_us = 0
        """For how long the machines at both ends held things up lately; a wait of less says nothing about the link."""
        self.delay = DelayRate(start_bps, min_bps, max_bps)
        self.loss = LossRate()
        self.trend = DelayTrend()
        self._min_bps = min_bps
        self._max_bps = max_bps
        self._sent = SentPackets()
        self._groups = ArrivalGroups()
        self._acked = AcknowledgedRate()
        self._queue = StandingQueue()
        self._prober = Prober()
        self._reported = ReportedRate()
        self._competition = Competition()
        self._trip_ms: float | None = None
        self._feedback_trip_ms = TRIP_MS
        self._feedback_us: int | None = None
        self._silent_us: int | None = None
        """From when on the present silence counts; None while feedback comes."""
        self._before_bps: float | None = None
        """The rate before the present silence halved it."""
        self._target_bps = float(start_bps)

    @property
    def target_bps(self) -> int:
        """What may be sent now, everything together, in bits a second."""
        return int(self._target_bps)

    @property
    def acked_bps(self) -> int | None:
        """What arrived over the last half second, in bits a second; None where unknown."""
        bps = self._acked.bps()
        return None if bps is None else int(bps)

    @property
    def queue_ms(self) -> float:
        """How long packets wait at the bottleneck, by the last feedback."""
        return self._queue.queued_us / 1000

    def sent(self, sequence: int, size_bytes: int, now_us: int) -> None:
        """A packet leaves with this transport-wide sequence number (16 bit)."""
        if not self._sent.flying:
            self._silent_us = now_us
        self._sent.sent(sequence, size_bytes, now_us)

    def round_trip_ms(self, trip_ms: float) -> None:
        """The round trip by RTCP; without it the feedback's own age is used, which is up to 100 ms more."""
        self._trip_ms = trip_ms

    def feedback(self, feedback: Feedback, now_us: int) -> None:
        """Take a transport-wide feedback; updates `target_bps`."""
        told = self._sent.told(feedback)
        if not told.arrived and not told.lost:
            return
        self._feedback_us = self._silent_us = now_us
        usage = self.trend.usage
        fastest_us: int | None = None
        overused = False
        for arrival_us, sent_us, size in told.arrived:
            self._acked.add(arrival_us, size)
            way_us = arrival_us - sent_us
            if fastest_us is None or way_us < fastest_us:
                fastest_us = way_us
            step = self._groups.add(sent_us, arrival_us)
            if step is not None and step[1] >= 0:
                usage = self.trend.add(*step)
                overused = overused or usage is Usage.OVERUSE
        if fastest_us is not None:
            self._queue.update(fastest_us, now_us)
            overused = overused or self._queue.rising
            if self._queue.least_us(now_us) < max(REAL_US, self.busy_us):
                overused, usage = False, Usage.NORMAL if usage is Usage.OVERUSE else usage
            self._feedback_trip_ms += 0.2 * ((now_us - told.newest_sent_us) / 1000 - self._feedback_trip_ms)
        if self._before_bps is not None and told.arrived:
            self._return()
        self._weigh(Usage.OVERUSE if overused else usage, told, now_us)

    def on_receiver_report(self, fraction_lost: float, now_us: int) -> None:
        """Take a receiver report (0 to 1); it counts while no transport feedback comes."""
        if not self._fresh(now_us):
            before_bps = self._before_bps
            if before_bps is not None and not self.expects_feedback:
                self._return()
                self._target_bps = max(self._target_bps, RETURN * before_bps)
            self._reported.report(fraction_lost, self._target_bps, now_us)
            self._silent_us = now_us
            self._settle(now_us)

    def on_remb(self, bps: int, now_us: int) -> None:
        """Take the receiver's estimate; it counts while no transport feedback comes.

        Source: draft-alvestrand-rmcat-remb-03.
        """
        self._reported.remb(bps, now_us)
        if not self._fresh(now_us):
            self._silent_us = now_us
            self._settle(now_us)

    def tick(self, now_us: int) -> None:
        """Call every 100 ms or so: lowers the rate when nothing at all comes back."""
        if not self._sent.flying or self._silent_us is None:
            return
        silence_us, step_us = (
            (SILENCE_US, SILENCE_STEP_US) if self.expects_feedback else (REPORTS_SILENCE_US, REPORTS_SILENCE_STEP_US)
        )
        patience_us = silence_us + int(1000 * self._round_trip())
        if now_us - self._silent_us < patience_us:
            return
        self._silent_us = now_us - patience_us + step_us
        if self._before_bps is None:
            self._before_bps = self._target_bps
        self._prober.failed()
        self.delay.jump(self.delay.bps / 2 if self.delay.bps <= self._target_bps else self._target_bps / 2)
        self._reported.halve()
        self._settle(now_us)

    def probe(self, now_us: int) -> Probe | None:
        """Call every 100 ms or so: a probe to hand to the pacer, seldom; its result comes with the feedback."""
        calm = self.delay.overused_us is None or now_us - self.delay.overused_us > CALM_US
        if not calm or self.trend.usage is not Usage.NORMAL or self.loss.phase is LossPhase.TRIAL:
            return None
        if not self._fresh(now_us) or self._before_bps is not None:
            return None
        return self._prober.begin(self._target_bps, self.wanted_bps, now_us, surpassed=self.delay.capacity.surpassed)

    def _round_trip(self) -> float:
        return self._feedback_trip_ms if self._trip_ms is None else self._trip_ms

    def _fresh(self, now_us: int) -> bool:
        return self._feedback_us is not None and now_us - self._feedback_us <= FRESH_US

    def _return(self) -> None:
        """Something comes back again."""
        if self._before_bps is not None:
            self.delay.jump(max(self.delay.bps, RETURN * self._before_bps))
        self._before_bps = None
        self._prober.request()

    def _weigh(self, usage: Usage, told: Told, now_us: int) -> None:
        trip_ms = self._round_trip()
        acked_bps = self._acked.bps()
        if usage is Usage.OVERUSE:
            self._prober.failed()
        result = self._prober.take(told.arrived, trip_ms, now_us)
        delay = self.delay
        competing, bps = self._competition.watch(self._queue.queued_us, delay.overused_us, delay.bps, now_us)
        delay.competing, delay.floor_bps = competing, self._competition.floor_bps
        if bps > delay.bps:
            delay.jump(bps)
        delay.update(usage, acked_bps, self._acked.bps(RECENT_US), trip_ms, now_us)
        packets = len(told.arrived) - told.found + told.lost
        lost = told.lost - told.found
        if delay.competing:
            if self._competition.concedes(packets, lost, self.loss.inherent, trip_ms, now_us):
                delay.jump(CONCEDED * delay.bps)
            self.loss.excuse(now_us)
        elif delay.overused_us is not None and now_us - delay.overused_us < OVERFLOW_US:
            self.loss.excuse(now_us)
        else:
            before = self.loss.phase
            self.loss.update(packets, lost, told.bursts, self._target_bps, acked_bps, trip_ms, now_us)
            if self.loss.phase is LossPhase.TRIAL is not before:
                self._prober.disproved()
        if result is not None:
            if result.full:
                delay.capacity.full_at(result.bps, 0.5)
            if result.bps > self._target_bps:
                delay.jump(max(delay.bps, result.bps))
                self.loss.lift(result.bps)
        self._settle(now_us)

    def _settle(self, now_us: int) -> None:
        if self._fresh(now_us) or self._reported.bps is None:
            bps = min(self.delay.bps, self.loss.bound_bps)
        else:
            bps = self._reported.bps
            self.delay.jump(bps)
        overused_us = self.delay.overused_us
        drains = overused_us is not None and now_us - overused_us < DRAIN_FOR_US and not self.delay.competing
        if drains and self._queue.queued_us > DRAIN_FROM_US:
            bps *= 1 - min(DRAIN_SHARE, self._queue.queued_us / DRAIN_US)
        self._target_bps = min(max(bps, self._min_bps), self._max_bps)
        if math.isfinite(self.loss.bound_bps) and self.loss.bound_bps < self._min_bps:
            self.loss.bound_bps = self._min_bps
