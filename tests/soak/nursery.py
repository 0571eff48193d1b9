"""Forks devices out of one process that has imported everything: a start costs hundredths of a second, not one.

A process of its own (`python -m tests.soak.nursery`), because a process with threads must not fork. Takes a line
of JSON for each order, `["start", device]`, `["kill", pid]` or `["ended", pid]`, and answers with one.
"""

import json
import os
import signal
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from tests.soak.producing import Device, produce

ROOT = Path(__file__).parents[2]


class Nursery:
    """The parent of all devices, as whoever kills them sees it."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.soak.nursery"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )

    def start(self, device: Device) -> int:
        """Start a device; the number of its process."""
        return int(self._asked("start", {name: str(value) for name, value in asdict(device).items()}))

    def kill(self, pid: int) -> None:
        """kill -9, and wait until it is gone."""
        self._asked("kill", pid)

    def ended(self, pid: int) -> bool:
        """Whether a device ended by itself."""
        return bool(self._asked("ended", pid))

    def close(self) -> None:
        """Kill every device that is left, and end."""
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def _asked(self, *order: object) -> int:
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        answer: int = json.loads(self._process.stdout.readline())
        return answer


def main() -> None:
    children: set[int] = set()
    for line in sys.stdin:
        what, value = json.loads(line)
        if what == "start":
            pid = os.fork()
            if pid == 0:
                _live(value)
            children.add(pid)
            answer = pid
        elif what == "kill":
            os.kill(value, signal.SIGKILL)
            os.waitpid(value, 0)
            children.discard(value)
            answer = 1
        else:
            if value in children and os.waitpid(value, os.WNOHANG)[0]:
                children.discard(value)
            answer = int(value not in children)
        print(json.dumps(answer), flush=True)
    for pid in children:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def _live(told: dict[str, str]) -> None:
    code = 1
    try:
        os.close(0)
        os.dup2(2, 1)
        device = Device(
            told["name"], Path(told["state"]), Path(told["hub_key"]), int(told["mqtt_port"]), float(told["per_s"])
        )
        produce(device)
        code = 0
    finally:
        os._exit(code)


if __name__ == "__main__":
    main()
