"""Further processes that take rows in, beside the hub: started, watched, started again, ended with it."""

import json
import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from sqlalchemy import make_url

from hub.broker.embedded import Broker
from hub.broker.errors import BrokerUnusable
from hub.broker.intake import IntakeCounts
from hub.broker.misfits import Misfits
from hub.settings import HubSettings

PROGRAM = "hub.intake_worker"
RESTART_S = (0.2, 5.0)
"""First and longest pause before a worker is started again, in seconds."""
STEADY_S = 30.0
"""One that ran this long died by accident; the next pause is the first one again."""
STOP_WAIT_S = 10.0

log = logging.getLogger("hub.broker")


def refuse_workers(workers: int, database_url: str, broker: str) -> None:
    """Let so many workers pass where database and broker can serve them.

    Args:
        workers: processes that are to take rows in.
        database_url: the hub's database.
        broker: `amqtt`, `mosquitto` or a URL.

    Raises:
        BrokerUnusable: they cannot; the message says what to do.
    """
    if workers == 1:
        return
    if make_url(database_url).get_backend_name() != "postgresql":
        raise BrokerUnusable(
            f"{workers} intake workers need PostgreSQL, because SQLite has one writer; "
            "set database = postgresql+psycopg://..., or workers = 1 under [intake]"
        )
    if broker == "amqtt":
        raise BrokerUnusable(
            f"{workers} intake workers need shared subscriptions, which the built-in broker (amqtt) has not; "
            "install mosquitto, or set workers = 1 under [intake]"
        )


@dataclass(frozen=True, slots=True)
class Spec:
    """What a worker is told; on its standard input, because the database's URL may hold a password."""

    name: str
    database: str
    host: str
    port: int
    tls: str
    """Folder of the hub's certificate; empty where the broker is plain."""
    version: str

    def line(self) -> bytes:
        """As one line."""
        return json.dumps(asdict(self)).encode() + b"\n"


def specs(settings: HubSettings, broker: Broker, incarnation: str, version: str) -> list[Spec]:
    """The work of each further process; none where the hub's own takes the rows in.

    Raises:
        BrokerUnusable: database or broker cannot serve several; the message says what to do.
    """
    workers = settings.intake.workers
    refuse_workers(workers, settings.database_url, broker.name)
    if workers == 1:
        return []
    host, port = broker.hub_address
    tls = str((settings.data / "broker").absolute()) if settings.mqtt_tls else ""
    return [
        Spec(f"{incarnation}-{number}", settings.database_url, host, port, tls, version)
        for number in range(1, workers + 1)
    ]


class IntakeWorkers:
    """Workers by number. `tend` and `stop` belong to the main thread; counts may be asked from any.

    A worker ends when its standard input does, so none outlives the hub, however that ends.

    Args:
        specs: one for each worker.
        misfits: is told what the workers could not use.
        alert: is told a device, the kind of alert and words that somebody should read.
    """

    def __init__(self, specs: list[Spec], misfits: Misfits, alert: Callable[[str, str, str], None]) -> None:
        self._workers = [_Worker(spec, misfits, alert) for spec in specs]

    def start(self) -> None:
        """Start every worker."""
        for worker in self._workers:
            worker.start()

    def tend(self) -> None:
        """Start again whoever has ended, after a pause that grows; returns at once."""
        for worker in self._workers:
            worker.tend()

    def wait_ready(self, timeout_s: float) -> bool:
        """Wait until every worker hears the devices; False where that took longer than `timeout_s`."""
        until = time.monotonic() + timeout_s
        return all(worker.ready.wait(max(0.0, until - time.monotonic())) for worker in self._workers)

    def counts(self) -> IntakeCounts:
        """What all of them did since the hub started, those that ended included."""
        total = IntakeCounts()
        for worker in self._workers:
            total += worker.counts
        return total

    def stop(self) -> None:
        """End them; what they have taken they write first."""
        for worker in self._workers:
            worker.let_go()
        for worker in self._workers:
            worker.stop()


class _Worker:
    def __init__(self, spec: Spec, misfits: Misfits, alert: Callable[[str, str, str], None]) -> None:
        self.ready = threading.Event()
        self._spec = spec
        self._misfits = misfits
        self._alert = alert
        self._child: subprocess.Popen[bytes] | None = None
        self._reader: threading.Thread | None = None
        self._before = IntakeCounts()
        self._now = IntakeCounts()
        self._started = 0.0
        self._pause_s = 0.0
        self._again_at: float | None = None

    @property
    def counts(self) -> IntakeCounts:
        return self._before + self._now

    def start(self) -> None:
        self._again_at = None
        command = [sys.executable, "-m", PROGRAM]
        where = Path(__file__).parents[2]  # the hub may have been started in any folder
        self._child = child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=where)
        self._started = time.monotonic()
        self._before, self._now = self.counts, IntakeCounts()
        assert child.stdin is not None  # noqa: S101  asked for above
        assert child.stdout is not None  # noqa: S101
        try:
            child.stdin.write(self._spec.line())
            child.stdin.flush()
        except OSError:
            log.warning("intake worker %s ended before it was told its work", self._spec.name)
        self._reader = threading.Thread(
            target=self._read, args=(child.stdout,), name=f"hub.{self._spec.name}", daemon=True
        )
        self._reader.start()

    def tend(self) -> None:
        if self._child is not None:
            code = self._child.poll()
            if code is None:
                return
            if time.monotonic() - self._started > STEADY_S:
                self._pause_s = 0.0
            if not self._pause_s:
                log.error("intake worker %s ended with %d; starting it again", self._spec.name, code)
            self._pause_s = min(RESTART_S[1], max(RESTART_S[0], self._pause_s * 2))
            self._again_at = time.monotonic() + self._pause_s
            self.ready.clear()
            self._close()
        elif self._again_at is not None and time.monotonic() >= self._again_at:
            self.start()

    def let_go(self) -> None:
        if self._child is not None and self._child.stdin is not None:
            try:
                self._child.stdin.close()
            except OSError:
                log.debug("intake worker %s had ended already", self._spec.name)

    def stop(self) -> None:
        self._again_at = None
        if self._child is not None:
            try:
                self._child.wait(STOP_WAIT_S)
            except subprocess.TimeoutExpired:
                log.warning("intake worker %s does not end; its rows will come again", self._spec.name)
                self._child.kill()
                self._child.wait()
            self._close()

    def _close(self) -> None:
        self.let_go()
        if self._reader is not None:
            self._reader.join(STOP_WAIT_S)
        if self._child is not None and self._child.stdout is not None:
            self._child.stdout.close()
        self._child = None

    def _read(self, told: IO[bytes]) -> None:
        for line in told:
            try:
                self._hear(json.loads(line))
            except Exception:
                # It would leave the worker to write into a full pipe, and stand still.
                log.exception("what intake worker %s told could not be taken", self._spec.name)

    def _hear(self, told: Mapping[str, Any]) -> None:
        if told.get("ready"):
            self.ready.set()
        if "counts" in told:
            self._now = IntakeCounts(**told["counts"])
        for device, reason, count in told.get("misfits", ()):
            self._misfits.add(device, reason, count)
        for device, kind, words in told.get("alerts", ()):
            self._alert(device, kind, words)
