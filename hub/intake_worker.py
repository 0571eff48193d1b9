"""A process that takes rows in beside the hub: `python -m hub.intake_worker`, told its work on standard input.

It hears its share of the rows, commits them to the hub's PostgreSQL and acknowledges them. It tells on standard output
what it did, and ends when its standard input does.
"""

import contextlib
import dataclasses
import json
import logging
import signal
import ssl
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hub.broker.intake import Intake
from hub.broker.link import SHARED, HubLink
from hub.broker.misfits import Misfits
from hub.broker.workers import Spec
from hub.clock import HubClock
from hub.fleet.rollcall import RollCall
from hub.garbage import collect_rarely
from hub.store.engine import Database, open_engine
from hub.store.rows import RowTable

EVERY_S = 0.5
"""How often it tells what it did, in seconds."""
CA, CERTIFICATE, KEY = "ca.pem", "hub.pem", "hub.key"

log = logging.getLogger("hub.broker")


class Worker:
    """Link, intake and database of one worker.

    Args:
        spec: its work.
    """

    def __init__(self, spec: Spec) -> None:
        clock = HubClock()
        self._database = Database(open_engine(spec.database))
        self._misfits = Misfits(time.monotonic)
        self._told: dict[tuple[str, str], int] = {}
        self._certificate = Certificate(Path(spec.tls)) if spec.tls else None
        self._link = HubLink(
            spec.host,
            spec.port,
            spec.name,
            spec.version,
            clock.now_ns,
            lambda arrival: self._intake.offer(arrival),  # noqa: PLW0108  the intake is made below, of this link
            tls=self._certificate.context if self._certificate else None,
            subscriptions=SHARED,
            presence=False,
        )
        self._intake = Intake(
            RowTable(self._database), RollCall(self._database), self._link.publish, self._misfits, _tell_alert
        )

    def run(self, ended: threading.Event) -> None:
        """Take rows in until `ended`, then write what is here; also where a thread has died, to be started again."""
        self._intake.start()
        self._link.start()
        ready = False
        try:
            while not ended.wait(EVERY_S if ready else 0.02):
                if not ready and self._link.wait_ready(0):
                    ready = True
                    _tell({"ready": True})
                if self._certificate is not None:
                    self._certificate.renew()
                self._report()
                if not (self._link.alive and self._intake.alive):
                    log.error("a thread of this worker has died")
                    break
        finally:
            self._link.stop()
            self._intake.stop()
            self._database.close()
            self._report()

    def _report(self) -> None:
        fresh = []
        for device, reasons in self._misfits.counts().items():
            for reason, count in reasons.items():
                more = count - self._told.get((device, reason), 0)
                if more:
                    fresh.append([device, reason, more])
                    self._told[device, reason] = count
        _tell({"counts": dataclasses.asdict(self._intake.counts), "misfits": fresh})


class Certificate:
    """The hub's certificate as the hub renews it; its folder is the broker's."""

    def __init__(self, folder: Path) -> None:
        self._files = (folder / CERTIFICATE, folder / KEY)
        self.context = ssl.create_default_context(cafile=folder / CA)
        self._seen = 0.0
        self.renew()

    def renew(self) -> None:
        """Show a newer certificate from the next connection on."""
        try:
            changed = self._files[0].stat().st_mtime
            if changed != self._seen:
                self.context.load_cert_chain(*self._files)
                self._seen = changed
        except OSError as error:  # SSLError too: key and certificate are written one after the other
            log.debug("the renewed certificate cannot be read yet: %s", error)


_telling = threading.Lock()


def _tell(said: Mapping[str, Any]) -> None:
    with _telling, contextlib.suppress(OSError):  # the hub is gone: standard input has ended too
        sys.stdout.write(json.dumps(said) + "\n")
        sys.stdout.flush()


def _tell_alert(device: str, kind: str, words: str) -> None:
    _tell({"alerts": [[device, kind, words]]})


def main() -> None:
    """Read the work, and do it until standard input ends."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    with contextlib.suppress(ValueError):
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the hub, who ends us in order
    spec = Spec(**json.loads(sys.stdin.readline()))
    ended = threading.Event()

    def wait() -> None:
        while sys.stdin.read(1024):
            pass
        ended.set()

    threading.Thread(target=wait, name="hub.parent", daemon=True).start()
    worker = Worker(spec)
    collect_rarely()
    worker.run(ended)


if __name__ == "__main__":
    main()
