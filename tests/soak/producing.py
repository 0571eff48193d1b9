"""A device that only reports, as a process of its own, to be killed at any moment."""

import logging
import secrets
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from agent.identity import Identity
from agent.report.report import Report
from agent.settings import AgentSettings
from contract.keys import load_private, load_public

RETRY_CAP_S = 0.3
DRAIN_S = 120.0


@dataclass(frozen=True)
class Device:
    """What one device needs; handed to its process."""

    name: str
    state: Path
    hub_key: Path
    mqtt_port: int
    per_s: float
    """Events in a second, and as many telemetry samples."""

    @property
    def key(self) -> Path:
        return self.state / "key.pem"

    @property
    def produced(self) -> Path:
        """The folder of its ledgers: what it produced, written down before the outboxes hear of it."""
        return self.state / "produced"

    @property
    def rest(self) -> Path:
        """A file that somebody makes when nothing more is to be produced."""
        return self.state / "rest"

    @property
    def drained(self) -> Path:
        """A file that the device makes when the hub has everything: when that was, in monotonic seconds."""
        return self.state / "drained"

    def report(self) -> Report:
        """Its report side, as the agent's service makes it."""
        identity = Identity(
            self.name,
            f"room-{self.name}",
            "Room",
            "School",
            load_private(self.key),
            load_public(self.hub_key.read_text(encoding="utf-8")),
            "http://127.0.0.1:1",
            "127.0.0.1",
            self.mqtt_port,
        )
        settings = AgentSettings.model_validate(
            {
                "agent": {"state": self.state},
                "hub": {"retry_cap_s": RETRY_CAP_S, "keepalive_s": 5},
                "report": {"ledger": True, "health_s": 1.0},
            }
        )
        return Report(identity, settings, incarnation=secrets.token_hex(6))


def produce(device: Device) -> None:
    """Report until told to rest, then until the hub has everything."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logging.basicConfig(filename=device.state / "log.txt")
    report = device.report()
    report.start()
    number = 0
    while not device.rest.exists():
        number += 1
        report.reporter.event("thing", {"number": number})
        report.reporter.telemetry("sample", {"number": number, "words": "x" * (number % 400)})
        time.sleep(1 / device.per_s)
    if report.drain(DRAIN_S):
        device.drained.write_text(f"{time.monotonic()}", encoding="utf-8")
    report.stop(drain_s=DRAIN_S)
