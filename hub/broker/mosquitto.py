"""Mosquitto as a child process: configured, watched, started again when it dies, never left behind."""

import json
import logging
import subprocess
import threading
import time
from pathlib import Path

import psutil
from cryptography import x509

from hub.broker import mosquitto_conf
from hub.broker.control import Control, admitted, expelled
from hub.broker.dynsec import document
from hub.broker.errors import BrokerUnusable
from hub.broker.files import replace
from hub.broker.gate import Gate
from hub.broker.mosquitto_conf import Address, Files
from hub.broker.port import START_WAIT_S, TELL_WAIT_S, await_free, free_port, listening
from hub.platform import account, read_again, tied_to_parent

RESTART_S = (0.2, 5.0)
"""First and longest pause before it is started again, in seconds."""
STEADY_S = 30.0
"""A broker that ran this long died by accident; the next pause is the first one again."""
STOP_WAIT_S = 5.0
LIST_STEP_S = 1.2
"""Revocation lists are dated in whole seconds, and of two of one second mosquitto keeps either."""
LOG_TAIL = 500
LOOPBACK = "127.0.0.1"
PLUGIN = "mosquitto_dynamic_security"
LIBRARIES = (Path("/usr/lib"), Path("/usr/local/lib"), Path("/opt/homebrew/lib"))

log = logging.getLogger("hub.broker")


class Mosquitto:
    """A mosquitto of our own.

    On Linux it dies with the hub, however the hub dies. Elsewhere, and should that ever
    fail, its pid file names it, and the next hub on the same folder ends it first.

    Its rules are written from the database each time it starts; in between it is told what changes.

    Args:
        program: the mosquitto program.
        host: address to listen on.
        port: port to listen on.
        folder: where its configuration, log and pid file go.
        gate: who may come in, over TLS; None opens it to everybody.
    """

    name = "mosquitto"

    def __init__(self, program: Path, host: str, port: int, folder: Path, gate: Gate | None = None) -> None:
        self.host = host
        self.port = port
        self.hub_address = (host, port)
        self._program = program
        self._folder = folder
        self._gate = gate
        self._plugin = find_plugin(program) if gate else None
        self._control: Control | None = None
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._pause_s = 0.0
        self._again_at: float | None = None
        self._listed: x509.CertificateRevocationList | None = None
        self._list_again_at: float | None = None

    @property
    def _log_file(self) -> Path:
        return self._folder / "mosquitto.log"

    @property
    def _pid_file(self) -> Path:
        return self._folder / "mosquitto.pid.json"

    @property
    def _crl_file(self) -> Path:
        return self._folder / "crl.pem"

    def start(self) -> None:
        """Start it and wait until it listens.

        Raises:
            BrokerUnusable: the port is taken, mosquitto ends at once, or its plugin is missing.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        self._end_orphan()
        await_free(self.host, self.port)
        if self._gate is not None:
            self._gate.certificate.make()
            self.hub_address = (LOOPBACK, free_port(LOOPBACK))
            self._control = Control(self.hub_address, self._gate.certificate.client_context)
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
        """Start it again when it has died, after a pause that grows; renew what it shows."""
        if self._child is not None:
            code = self._child.poll()
            if code is None:
                self._refresh()
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

    def admit(self, device: str) -> None:
        """Let `device` come in; the database knows it already."""
        if self._control is not None and not self._control.tell(admitted(device), TELL_WAIT_S):
            log.warning("mosquitto does not know %s yet; it is told again", device)

    def revoke(self, device: str, crl_pem: bytes) -> None:
        """Cut `device` off and keep it out; the database knows already."""
        if self._control is None:
            return
        self._publish_list(crl_pem)
        if not self._control.tell(expelled(device), TELL_WAIT_S):
            log.warning("mosquitto does not know yet that %s is revoked; it is told again", device)

    def stop(self) -> None:
        """End it."""
        if self._control is not None:
            self._control.stop()
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
        config.write_text(self._configured(), encoding="utf-8")
        with self._log_file.open("wb") as sink:
            command = tied_to_parent([str(self._program), "-c", str(config)])
            self._child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink)
        self._started = time.monotonic()
        process = {"pid": self._child.pid, "created": psutil.Process(self._child.pid).create_time()}
        self._pid_file.write_text(json.dumps(process), encoding="utf-8")

    def _configured(self) -> str:
        """Write the files that the configuration names; the configuration itself."""
        devices = Address(self.host, self.port)
        if self._gate is None or self._control is None or self._plugin is None:
            return mosquitto_conf.plain(devices, account())
        shown = self._gate.certificate
        rules = self._folder / "dynamic-security.json"
        files = Files(shown.ca_file, shown.certificate_file, shown.key_file, self._crl_file, rules)
        # First this: what was owed stands in the database, and what changes from here on is owed again.
        self._control.forget()
        replace(rules, document(self._gate.devices()).encode())
        with self._lock:
            self._keep_list(self._gate.crl())
        return mosquitto_conf.guarded(
            devices, Address(*self.hub_address), files, self._plugin, account(), " at each start"
        )

    def _refresh(self) -> None:
        """Renew the certificate, or the list of revoked ones, when it is time."""
        if self._gate is None:
            return
        if self._list_again_at is not None and time.monotonic() >= self._list_again_at:
            self._publish_list(self._gate.crl())
        if self._gate.certificate.renewed():
            self._read_again()

    def _publish_list(self, crl_pem: bytes) -> None:
        with self._lock:
            self._keep_list(crl_pem)
        self._read_again()

    def _keep_list(self, crl_pem: bytes) -> None:
        new = x509.load_pem_x509_crl(crl_pem)
        stale = self._listed is not None and new.last_update_utc <= self._listed.last_update_utc
        self._list_again_at = time.monotonic() + LIST_STEP_S if stale else None
        self._listed = new
        replace(self._crl_file, crl_pem)

    def _read_again(self) -> None:
        """Have it read its certificates and its list again."""
        child = self._child
        if child is not None and child.poll() is None and not read_again(child):
            child.terminate()  # it is started again with the new ones

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


def find_plugin(program: Path) -> Path:
    """The dynamic-security plugin that belongs to a mosquitto.

    Raises:
        BrokerUnusable: it is not installed.
    """
    beside = program.resolve().parent
    folders = [beside, beside.parent / "lib", *LIBRARIES]
    for folder in folders:
        for pattern in (f"{PLUGIN}.*", f"*/{PLUGIN}.*", f"*/mosquitto/{PLUGIN}.*"):
            found = sorted(folder.glob(pattern))
            if found:
                return found[0]
    raise BrokerUnusable(
        f"{program} has no dynamic-security plugin, without which it cannot keep devices apart; "
        "install mosquitto 2.0 or newer with it, or set broker = amqtt"
    )
