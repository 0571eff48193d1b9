"""`tongtang hub run` as a process of its own, as a service manager starts it; and commands that end by themselves."""

import json
import logging
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from typer.testing import CliRunner

from hub.cli import app

COMMAND = [sys.executable, "-c", "from hub.cli import app; app()"]


@dataclass
class Running:
    """A hub that answers; `code` and `log` are known once it has ended."""

    where: dict
    code: int = -1
    log: str = field(default="", repr=False)


@contextmanager
def running(config: Path, data: Path) -> Iterator[Running]:
    """Run a hub until the block is left, then end it by SIGTERM."""
    process = subprocess.Popen([*COMMAND, "run", "--config", str(config)], stderr=subprocess.PIPE, text=True)
    try:
        where = data / "hub.json"
        until = time.monotonic() + 90
        while not where.exists() and process.poll() is None and time.monotonic() < until:
            time.sleep(0.05)
        assert where.exists(), process.communicate(timeout=5)[1] if process.poll() is not None else "no hub.json"
        hub = Running(json.loads(where.read_text()))
        yield hub
    finally:
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=60)
    hub.code, hub.log = process.returncode, log


def refused(*words: object) -> tuple[int, str]:
    """Exit code and words of a command that ends by itself, in a process of its own."""
    done = subprocess.run([*COMMAND, *map(str, words)], capture_output=True, text=True, timeout=90, check=False)
    return done.returncode, done.stderr


def refused_here(*words: object) -> tuple[int, str]:
    """The same in this process, without the two seconds that a new one takes to load a hub; what is logged is told."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers.clear()  # else the command takes it that whoever called it says where logs go
    try:
        done = CliRunner().invoke(app, [str(word) for word in words])
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
    return done.exit_code, done.stderr
