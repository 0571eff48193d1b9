"""Mosquitto as a child process: configured, watched, started again when it dies, never left behind."""

import json
import logging
import subprocess
import time
from pathlib import Path

import psutil

from hub.broker.embedded import START_WAIT_S, await_free, listening
from hub.broker.errors import BrokerUnusable
from hub.platform import account, tied_to_parent

RESTART_S = (0.2, 5.0)
"""First and longest pause before it is started again, in seconds."""
STEADY_S = 30.0
"""A broker that ran this long died by accident; the next pause is the first one again."""
STOP_WAIT_S = 5.0
LOG_TAIL = 500

log = logging.getLogger("hub.broker")

CONFIG = """# Written by the hub at each start; changes are lost.
listener {port} {host}
allow_anonymous true
{user}
persistence false
connection_messages false
log_dest stderr
log_type error
log_type warning
set_tcp_nodelay true
max_inflight_messages 200
max_queued_messages 20000
message_size_limit 1048576
retain_available true
"""
# No persistence: after a crash of the broker every client tells its presence anew, while
# a kept "online" of a device that died meanwhile would stay for ever.


class Mosquitto:
    """A mosquitto of our own.

    On Linux it dies with the hub, however the hub dies. Elsewhere, and should that ever
    fail, its pid file names it, and the next hub on the same folder ends it first.

    Args:
        program: the mosquitto program.
        host: address to listen on.
        port: port to listen on.
        folder: where its configuration, log and pid file go.
    """

    name = "mosquitto"

    def __init__(self, program: Path, host: str, port: int, folder: Path) -> None:
        self.host = host
        self.port = port
        self._program = program
        self._folder = folder
        self._child: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._pause_s = 0.0
        self._again_at: float | None = None

    @property
    def _log_file(self) -> Path:
        return self._folder / "mosquitto.log"

    @property
    def _pid_file(self) -> Path:
        return self._folder / "mosquitto.pid.json"

    def start(self) -> None:
        """Start it and wait until it listens.

        Raises:
            BrokerUnusable: the port is taken, or mosquitto ends at once.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        self._end_orphan()
        await_free(self.host, self.port)
        self._spawn()
        until = time.monotonic() + START_WAIT_S
        while not listening(self.host, self.port):
            if self._child is None or self._child.poll() is not None or time.monotonic() > until:
                said = self._log_file.read_text(errors="replace")[-LOG_TAIL:].strip()
                self.stop()
                raise BrokerUnusable(
                    f"mosquitto does not start on {self.host}:{self.port}: {said or 'it says nothing'}"
                )
            time.sleep(0.02)

    def tend(self) -> None:
        """Start it again when it has died, after a pause that grows."""
        if self._child is not None:
            code = self._child.poll()
            if code is None:
                return
            if time.monotonic() - self._started > STEADY_S:
                self._pause_s = 0.0
            if not self._pause_s:
                log.error("mosquitto ended with %d; starting it again (see %s)", code, self._log_file)
            self._pause_s = min(RESTART_S[1], max(RESTART_S[0], self._pause_s * 2))
            self._again_at = time.monotonic() + self._pause_s
            self._child = None
        elif self._again_at is not None and time.monotonic() >= self._again_at:
            self._again_at = None
            self._spawn()

    def stop(self) -> None:
        """End it."""
        child, self._child, self._again_at = self._child, None, None
        if child is not None and child.poll() is None:
            child.terminate()
            try:
                child.wait(STOP_WAIT_S)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        self._pid_file.unlink(missing_ok=True)

    def _spawn(self) -> None:
        config = self._folder / "mosquitto.conf"
        # Started as root it would change to its own account and lose sight of our folder.
        user = account()
        text = CONFIG.format(port=self.port, host=self.host, user=f"user {user}" if user else "")
        config.write_text(text, encoding="utf-8")
        with self._log_file.open("wb") as sink:
            command = tied_to_parent([str(self._program), "-c", str(config)])
            self._child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink)
        self._started = time.monotonic()
        process = {"pid": self._child.pid, "created": psutil.Process(self._child.pid).create_time()}
        self._pid_file.write_text(json.dumps(process), encoding="utf-8")

    def _end_orphan(self) -> None:
        """End the mosquitto of a hub that was killed, if it still runs."""
        try:
            known = json.loads(self._pid_file.read_text(encoding="utf-8"))
            orphan = psutil.Process(known["pid"])
            if abs(orphan.create_time() - known["created"]) > 1:
                return  # the number was given to another process since
            log.warning("ending the mosquitto of an earlier hub (process %d)", orphan.pid)
            orphan.terminate()
            orphan.wait(STOP_WAIT_S)
        except (FileNotFoundError, ValueError, KeyError, TypeError, psutil.NoSuchProcess):
            return
        except psutil.TimeoutExpired as error:
            raise BrokerUnusable(f"an earlier mosquitto (process {error.pid}) does not end; end it") from error
