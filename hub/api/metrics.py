"""`/metrics` for Prometheus: the hub in a few hundred series, never one a device."""

import asyncio
import logging
import time
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from fastapi import APIRouter
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import Response

from hub.fleet.health import DeviceHealth, Figures
from hub.fleet.signs import HealthState, Standing
from hub.parts import HubParts
from hub.session.views import SessionView
from hub.store.devices import DeviceRecord
from hub.store.engine import Database
from hub.store.errors import in_short
from hub.store.rows import Arrived

log = logging.getLogger(__name__)

BOUNDS_S = (0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of the buckets of the time to commit, in seconds."""
QUANTILES = (0.5, 1.0)
SCHOOLS_MOST = 100
"""Schools that are told apart, those with the worst figures; the rest are `others`."""
OTHERS = "others"
SIZE_EVERY_S = 60.0
"""How often the database is asked for its size, in seconds."""
DAY_S = 86_400.0

Fleet = Sequence[tuple[DeviceRecord, DeviceHealth]]


class CommitTimes:
    """How long rows take from their arrival at the hub to the commit; written by the intake's writer alone.

    Args:
        now: hub UTC in seconds.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._counts = [0] * (len(BOUNDS_S) + 1)
        self._sum_s = 0.0

    def on_stored(self, rows: Sequence[Arrived]) -> None:
        """Rows are committed."""
        now = self._now()
        for one in rows:
            took_s = max(0.0, now - one.received)
            self._counts[bisect_left(BOUNDS_S, took_s)] += 1
            self._sum_s += took_s

    def metric(self) -> Metric:
        """The histogram so far."""
        buckets, count = [], 0
        for bound, more in zip((*BOUNDS_S, float("inf")), tuple(self._counts), strict=True):
            count += more
            buckets.append(("+Inf" if bound == float("inf") else str(bound), float(count)))
        words = "From a row's arrival at the hub to its commit."
        return HistogramMetricFamily("tongtang_commit_seconds", words, buckets=buckets, sum_value=self._sum_s)


class HubMetrics(Collector):
    """Gathers every metric at each scrape; blocks on the database.

    Args:
        parts: the running hub.
        commits: how long commits take.
    """

    def __init__(self, parts: HubParts, commits: CommitTimes) -> None:
        self._parts = parts
        self._commits = commits
        self._size = DatabaseSize(parts.store.database, time.monotonic)

    def collect(self) -> Iterator[Metric]:
        """Every metric of the hub."""
        parts = self._parts
        fleet = [(one, parts.health.of(one.id)) for one in parts.devices.all()]
        info = {"version": parts.version, "broker": parts.broker}
        yield InfoMetricFamily("tongtang_hub", "What runs here.", value=info)
        yield from self._intake()
        yield self._commits.metric()
        yield from _devices(fleet)
        yield from _schools(fleet)
        up = "Whether the hub is connected to its broker."
        yield GaugeMetricFamily("tongtang_broker_up", up, value=float(parts.broker_up()))
        kept = self._kept()
        up = "Whether the database answers; while it does not, what is kept in it is not told."
        yield GaugeMetricFamily("tongtang_database_up", up, value=float(kept is not None))
        yield from kept or []

    def _intake(self) -> Iterator[Metric]:
        counts = self._parts.intake.counts
        rows = CounterMetricFamily("tongtang_intake_rows", "Rows by what became of them.", labels=["outcome"])
        for outcome in ("stored", "repeated", "quarantined"):
            rows.add_metric([outcome], getattr(counts, outcome))
        yield rows
        dropped = "Arrivals that found the queue full; rows come again."
        yield CounterMetricFamily("tongtang_intake_dropped", dropped, value=counts.dropped)
        failed = "Batches that the database did not take."
        yield CounterMetricFamily("tongtang_intake_failed_batches", failed, value=counts.failed_batches)
        depth = float(self._parts.intake.waiting)
        yield GaugeMetricFamily("tongtang_intake_queue_depth", "Arrivals that wait for the writer.", value=depth)
        misfits = CounterMetricFamily("tongtang_misfits", "Messages that were not used, by reason.", labels=["reason"])
        by_reason: Counter[str] = Counter()
        for reasons in self._parts.misfits.counts().values():
            by_reason.update(reasons)
        for reason, count in sorted(by_reason.items()):
            misfits.add_metric([reason], count)
        yield misfits

    def _kept(self) -> list[Metric] | None:
        """What only the database knows; None where it does not answer."""
        try:
            sessions = [self._parts.readiness.shown(one) for one in self._parts.conductor.due(DAY_S)]
            size = "Size of the database."
            sized = GaugeMetricFamily("tongtang_database_bytes", size, value=float(self._size.bytes()))
            return [sized, *self._lessons(sessions)]
        except SQLAlchemyError as error:
            log.warning("figures are told without what the database keeps: %s", in_short(error))
            return None

    def _lessons(self, sessions: Sequence[SessionView]) -> Iterator[Metric]:
        words = "Sessions that are open or begin within a day, by state."
        states = GaugeMetricFamily("tongtang_sessions", words, labels=["state"])
        for state, count in sorted(Counter(one.state.value for one in sessions).items()):
            states.add_metric([state], count)
        yield states
        words = "Rooms of lessons that run or begin within ten minutes, by what is expected of them."
        ready = GaugeMetricFamily("tongtang_rooms", words, labels=["standing"])
        rooms = Counter(room.readiness.standing for one in sessions for room in one.rooms if room.readiness)
        for standing in Standing:
            ready.add_metric([standing.value], rooms[standing])
        yield ready
        alerts = GaugeMetricFamily("tongtang_alerts_open", "Alerts that nobody has seen to, by kind.", labels=["kind"])
        for kind, count in sorted(Counter(one.kind for one in self._parts.alerts.open()).items()):
            alerts.add_metric([kind], count)
        yield alerts


class DatabaseSize:
    """The database's size in bytes, asked now and then; 0 where it cannot be told.

    Args:
        database: whose size.
        mono_s: monotonic seconds.
    """

    def __init__(self, database: Database, mono_s: Callable[[], float]) -> None:
        self._database = database
        self._mono_s = mono_s
        self._bytes = 0
        self._due_s = float("-inf")

    def bytes(self) -> int:
        """The size; of SQLite with its write-ahead log."""
        if self._mono_s() >= self._due_s:
            self._due_s = self._mono_s() + SIZE_EVERY_S
            self._bytes = self._asked()
        return self._bytes

    def _asked(self) -> int:
        url = self._database.engine.url
        if url.get_backend_name() == "sqlite":
            files = [Path(f"{url.database}{end}") for end in ("", "-wal")] if url.database else []
            return sum(file.stat().st_size for file in files if file.exists())
        with self._database.read() as connection:
            return int(connection.scalar(text("SELECT pg_database_size(current_database())")) or 0)


def _devices(fleet: Fleet) -> Iterator[Metric]:
    yield GaugeMetricFamily("tongtang_devices_known", "Devices that may speak to the hub.", value=len(fleet))
    online = sum(one.online for one, _ in fleet)
    yield GaugeMetricFamily("tongtang_devices_online", "Devices that are connected.", value=online)
    by_state = GaugeMetricFamily("tongtang_devices", "Devices by health.", labels=["state"])
    states = Counter(health.state for _, health in fleet)
    for state in HealthState:
        by_state.add_metric([state.value], states[state])
    yield by_state


def _schools(fleet: Fleet) -> Iterator[Metric]:
    """Distributions over the devices of each school that are connected."""
    rows: dict[str, list[float]] = defaultdict(list)
    offsets: dict[str, list[float]] = defaultdict(list)
    for one, health in fleet:
        if not one.online:
            continue
        told = Figures(health.fields)
        waiting = [told.number(name) for name in ("telemetry_rows", "event_rows")]
        if any(count is not None for count in waiting):
            rows[one.school].append(sum(count or 0.0 for count in waiting))
        if (offset_ms := told.number("clock_offset_ms")) is not None:
            offsets[one.school].append(abs(offset_ms) / 1000)
    words = "Rows that wait in the outboxes of a school's devices: median and most."
    yield _distribution("tongtang_outbox_rows", words, rows)
    words = "How far the clocks of a school's devices are from the hub's: median and most."
    yield _distribution("tongtang_clock_offset_seconds", words, offsets)


def _distribution(name: str, words: str, by_school: Mapping[str, list[float]]) -> Metric:
    told = GaugeMetricFamily(name, words, labels=["school", "quantile"])
    worst = sorted(by_school, key=lambda school: -max(by_school[school]))
    shown = {school: by_school[school] for school in worst[:SCHOOLS_MOST]}
    rest = [value for school in worst[SCHOOLS_MOST:] for value in by_school[school]]
    for school, values in sorted((shown | ({OTHERS: rest} if rest else {})).items()):
        ordered = sorted(values)
        for quantile in QUANTILES:
            told.add_metric([school, f"{quantile:g}"], ordered[round(quantile * (len(ordered) - 1))])
    return told


def router(parts: HubParts, commits: CommitTimes) -> APIRouter:
    """`/metrics`."""
    routes = APIRouter()
    registry = CollectorRegistry()  # our own: nothing of another library's slips in, and a test may make a second hub
    registry.register(HubMetrics(parts, commits))
    ProcessCollector(registry=registry)

    @routes.get("/metrics", summary="For Prometheus", tags=["health"])
    async def metrics() -> Response:
        """Every metric in Prometheus' text format."""
        return Response(await asyncio.to_thread(generate_latest, registry), media_type=CONTENT_TYPE_LATEST)

    return routes
