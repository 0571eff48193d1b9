"""Real brokers for the tests: mosquitto as a child where it is installed, amqtt too."""

import contextlib
import getpass
import random
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.agent.authority import DAY_S, SmallAuthority

MOSQUITTO = shutil.which("mosquitto")
KINDS = [
    "amqtt",
    pytest.param(
        "mosquitto",
        marks=pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed here; amqtt is tried alone"),
    ),
]


def free_port() -> int:
    """A free port below those that the system hands out by itself: no connection that is made meanwhile gets it."""
    chance = random.SystemRandom()
    while True:
        with socket.socket() as one, contextlib.suppress(OSError):
            one.bind(("127.0.0.1", port := chance.randint(20_000, 32_000)))
            return port


def wait_for(condition, within_s: float = 40.0) -> bool:
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        if condition():
            return True
        time.sleep(0.02)
    return bool(condition())


def _listening(port: int) -> bool:
    with socket.socket() as one:
        one.settimeout(0.5)
        return one.connect_ex(("127.0.0.1", port)) == 0


class Mosquitto:
    def __init__(self, port: int, folder: Path) -> None:
        self.port = port
        self._folder = folder
        self._process: subprocess.Popen | None = None

    def start(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / "mosquitto.conf"
        path.write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\npersistence false\nlog_dest none\n")
        path.chmod(0o644)
        self._process = subprocess.Popen([MOSQUITTO, "-c", str(path)], stderr=subprocess.DEVNULL)
        assert wait_for(lambda: _listening(self.port))

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


class TlsMosquitto(Mosquitto):
    """One that wants certificates of `authority`; `revoked` holds those (PEM) that it refuses."""

    def __init__(self, port: int, folder: Path, authority: SmallAuthority) -> None:
        super().__init__(port, folder)
        self.authority = authority
        self.revoked: tuple[str, ...] = ()

    def start(self) -> None:
        folder, now = self._folder, time.time()
        certificate, key = self.authority.server(folder, "127.0.0.1", now - DAY_S, now + DAY_S)
        (folder / "ca.pem").write_text(self.authority.pem)
        (folder / "crl.pem").write_bytes(self.authority.crl(now, *self.revoked))
        lines = [
            f"listener {self.port} 127.0.0.1",
            f"cafile {folder / 'ca.pem'}",
            f"certfile {certificate}",
            f"keyfile {key}",
            f"crlfile {folder / 'crl.pem'}",
            "require_certificate true",
            "use_identity_as_username true",
            "persistence false",
            f"user {getpass.getuser()}",
            f"log_dest file {folder / 'log'}",
        ]
        path = folder / "mosquitto.conf"
        path.write_text("\n".join(lines) + "\n")
        self._process = subprocess.Popen([MOSQUITTO, "-c", str(path)], stderr=subprocess.DEVNULL)
        assert wait_for(lambda: _listening(self.port))

    def log(self) -> str:
        return (self._folder / "log").read_text(errors="replace")


_AMQTT = """
import asyncio, sys
from amqtt.broker import Broker

async def run():
    broker = Broker({
        "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{sys.argv[1]}"}},
        "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
    })
    await broker.start()
    await asyncio.Event().wait()

asyncio.run(run())
"""


class Amqtt:
    def __init__(self, port: int, folder: Path) -> None:
        self.port = port
        self._process: subprocess.Popen | None = None

    def start(self) -> None:
        self._process = subprocess.Popen([sys.executable, "-c", _AMQTT, str(self.port)], stderr=subprocess.DEVNULL)
        assert wait_for(lambda: _listening(self.port))

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


def broker_of(kind: str, folder: Path):
    """`kind`, or whichever is installed where it is empty."""
    kind = kind or ("mosquitto" if MOSQUITTO else "amqtt")
    return {"amqtt": Amqtt, "mosquitto": Mosquitto}[kind](free_port(), folder)
