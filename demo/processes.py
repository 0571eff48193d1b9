"""The child processes of the demonstration: started as a user would, and never left behind."""

import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

log = logging.getLogger(__name__)

TERM_S = 20.0
"""A child has this long to end by itself, in seconds."""


class ChildDied(Exception):
    """A process of the demonstration ended by itself; the message says which and shows the end of its log."""


class Children:
    """Starts `tongtang` commands, each with a log file of its own."""

    def __init__(self, logs: Path, program: str = "tongtang") -> None:
        """`logs`: where their log files go; `program`: the module that is `tongtang`, or does a little more."""
        self._logs = logs
        self._program = program
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def run(self, name: str, *arguments: str) -> None:
        """Run a command to its end.

        Raises:
            ChildDied: it failed.
        """
        done = subprocess.run(
            [sys.executable, "-m", self._program, *arguments], capture_output=True, check=False, env=_environment()
        )
        self._log(name).write_bytes(done.stdout + done.stderr)
        if done.returncode:
            raise ChildDied(f"`tongtang {' '.join(arguments[:2])}` failed:\n{self._tail(name)}")

    def start(self, name: str, *arguments: str) -> None:
        """Start a command that stays."""
        with self._log(name).open("ab") as file:
            self._running[name] = subprocess.Popen(
                [sys.executable, "-m", self._program, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                env=_environment(),
                # Ctrl-C reaches the demonstration alone, which then ends the lesson properly.
                start_new_session=True,
            )

    def check(self) -> None:
        """Look after the children.

        Raises:
            ChildDied: one of them ended.
        """
        for name, child in self._running.items():
            if child.poll() is not None:
                raise ChildDied(f"{name} ended by itself (code {child.returncode}):\n{self._tail(name)}")

    def stop(self, *names: str) -> None:
        """End some children, or all of them, and wait; one that does not end in time is killed.

        Interrupted in its wait, it may be called again: a child is forgotten only once it has ended.
        """
        chosen = {name: self._running[name] for name in (names or tuple(self._running)) if name in self._running}
        for child in chosen.values():
            child.terminate()
        deadline = time.monotonic() + TERM_S
        for name, child in chosen.items():
            try:
                child.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                log.warning("%s does not end; killed", name)
                self._kill(child)
            del self._running[name]

    def kill_all(self) -> None:
        """Kill every child that still runs."""
        for name in tuple(self._running):
            self.kill(name)

    def kill(self, name: str) -> None:
        """Kill one child at once, as a crash would."""
        self._kill(self._running.pop(name))

    def pid(self, name: str) -> int:
        """Process id of a running child."""
        return self._running[name].pid

    def _kill(self, child: subprocess.Popen[bytes]) -> None:
        if child.poll() is not None:
            return
        if os.name == "posix":
            os.killpg(child.pid, signal.SIGKILL)
        else:
            child.kill()
        child.wait()

    def _log(self, name: str) -> Path:
        return self._logs / f"{name}.log"

    def _tail(self, name: str) -> str:
        lines = self._log(name).read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(f"  {line}" for line in lines[-12:])


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONUNBUFFERED": "1", "TONGTANG_PARENT": str(os.getpid())}
