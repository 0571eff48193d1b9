"""Sums telemetry up and lets go of what is old, on a thread that gives way to the intake."""

from collections.abc import Callable, Iterator

from hub.repeating import Repeating
from hub.settings import KeepSettings
from hub.store.buckets import Bucket, Key, Sample, summed
from hub.store.retention import Retention
from hub.store.rollups import Progress, RollupTable, parts

EVERY_S = 30.0
"""How often there is a look for new rows, in seconds."""
PART = 300
"""Buckets written in one transaction."""
READ_PAUSE_S = 0.005
WRITE_PAUSE_S = 0.05
"""After each slice read and each transaction, in seconds: the intake's turn."""
DAY_S = 86_400.0


class Keeper(Repeating):
    """Keeps telemetry as long as the settings say: whole, then by the minute, then by the hour.

    Args:
        rollups: the buckets.
        retention: what deletes.
        keep: for how long.
        now: hub UTC in seconds.
    """

    def __init__(
        self, rollups: RollupTable, retention: Retention, keep: KeepSettings, now: Callable[[], float]
    ) -> None:
        self._rollups = rollups
        self._retention = retention
        self._keep = keep
        self._now = now
        super().__init__("hub.keeping", EVERY_S, self.tick, "telemetry is not summed up")

    def tick(self) -> None:
        """Sum up what is new, then let go of what is old.

        Raises:
            SQLAlchemyError: the database is in trouble; the next tick goes on where this one stopped.
            StoreRefused: another hub does the same on the same database.
        """
        self._sum_up()
        self._let_go()

    def _sum_up(self) -> None:
        progress = self._rollups.progress()
        settled = self._rollups.settled()
        while not self.stopping.is_set():
            progress = self._rollups.begin(progress, settled)
            if progress.doing == progress.done:
                return
            samples: list[Sample] = []
            for some in self._rollups.samples(progress):
                samples += some
                if self.stopping.wait(READ_PAUSE_S):
                    return
            buckets = summed(samples, lambda: self.stopping.wait(READ_PAUSE_S))
            progress = self._write(buckets, progress)

    def _write(self, buckets: dict[Key, Bucket], progress: Progress) -> Progress:
        before = self._rollups.progress()
        for some, reached in parts(buckets, progress, PART):
            self._rollups.add(some, before, reached)
            before = reached
            if self.stopping.wait(WRITE_PAUSE_S):
                break
        return before

    def _let_go(self) -> None:
        now, keep = self._now(), self._keep
        done = self._rollups.progress().done
        for deleting in (
            self._retention.rows("tele", now - keep.telemetry_days * DAY_S, done),
            self._retention.rows("event", now - keep.events_days * DAY_S),
            self._retention.rollups("minute", now - keep.minutes_days * DAY_S),
            self._retention.rollups("hour", now - keep.hours_days * DAY_S),
            self._retention.gaps(now - keep.faults_days * DAY_S),
            self._retention.quarantine(now - keep.faults_days * DAY_S),
        ):
            self._slowly(deleting)

    def _slowly(self, deleting: Iterator[int]) -> None:
        for _ in deleting:
            if self.stopping.wait(WRITE_PAUSE_S):
                return
