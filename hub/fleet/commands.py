"""Commands: signed for one device each, sent again until they are answered, and what came of them.

A command is in the database before it goes out, so a hub that is killed goes on with what is
unanswered. Sending again does no harm: a device acts once, and answers repetitions from its journal.
Signatures are made as commands go out, one after the other: the first devices of a whole fleet hear
theirs while the last is still to be signed, and a database that gets into other hands commands nobody.
"""

import difflib
import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from contract import topics
from contract.command import RESULT_LIMIT_BYTES, Command, CommandUnfit, Result, arguments_of
from contract.envelope import PublicKey, parse, signed, unsigned
from hub.broker.link import Arrival
from hub.broker.misfits import Misfits
from hub.broker.signed import read
from hub.fleet.errors import CommandRefused, DeviceUnknown
from hub.fleet.inbox import Inbox
from hub.store.commands import CommandRecord, CommandState, CommandTable, Finish, may_become
from hub.store.devices import DeviceRecord

RESEND_S = (2.0, 10.0)
"""A device that is there gets an unanswered command again after so many seconds, the first time and then each time."""
SENT_AT_ONCE = 128
"""So many are signed, then sent: the network thread is not woken for each, nor does it wait for all."""
LATE_S = 5.0
"""An answer may take this much longer than the command is valid, in seconds."""
WAITING_MAX = 100
"""Commands that one device may leave unanswered; beyond it no more are made for it."""
KEPT_S = 90 * 86_400.0
"""What came of a command is remembered for so long, in seconds."""
FORGET_EVERY_S = 3600.0

log = logging.getLogger("hub.fleet")


class Roll(Protocol):
    """Who there is; a device that was revoked is none."""

    def get(self, device: str) -> DeviceRecord | None:
        """One device, or None."""

    def all(self) -> list[DeviceRecord]:
        """Every device."""

    def key(self, device: str) -> PublicKey | None:
        """The key with which a device signs; None where it may not speak."""

    def online(self, device: str) -> bool:
        """Whether it is there."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A command that somebody wants; exactly one of `devices`, `school` and `every` says for whom."""

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    devices: Sequence[str] = ()
    school: str = ""
    every: bool = False
    valid_s: float = 60.0


@dataclass(slots=True)
class _Waiting:
    command: CommandRecord
    due_s: float
    """When it goes out again, in monotonic seconds."""
    data: bytes = b""
    """As it goes out, once it has."""


class Commands:
    """Every command of the district. Thread-safe; what touches the database blocks.

    Args:
        table: where they are kept.
        roll: who there is.
        key: the hub's key.
        publish: sends a payload to a topic with a quality of service.
        now: hub UTC in seconds.
        misfits: counts what cannot be used.
        on_change: is told the id of each device of which a command was answered; from any thread.
    """

    def __init__(
        self,
        table: CommandTable,
        roll: Roll,
        key: Ed25519PrivateKey,
        publish: Callable[[str, bytes, int], None],
        now: Callable[[], float],
        misfits: Misfits,
        on_change: Callable[[str], None] = lambda _device: None,
    ) -> None:
        self._table = table
        self._roll = roll
        self._key = key
        self._publish = publish
        self._now = now
        self._misfits = misfits
        self._on_change = on_change
        self._lock = threading.Lock()
        self._waiting: defaultdict[str, dict[str, _Waiting]] = defaultdict(dict)
        """By device, then by id."""
        self._forget_s = 0.0
        self._inbox = Inbox("hub.commands", self._read, self._take, self._tend, misfits)
        for command in table.waiting():
            self._await(command, float("-inf"))

    def start(self) -> None:
        """Begin to take answers and to send again."""
        self._inbox.start()

    def stop(self) -> None:
        """Take the answers that have arrived, then end."""
        self._inbox.stop()

    @property
    def alive(self) -> bool:
        """Whether answers are taken."""
        return self._inbox.alive

    # What operators ask for.

    def issue(self, wanted: Wanted, operator: str) -> list[CommandRecord]:
        """Make a command for each device, keep them all in one transaction, then sign and send them.

        Raises:
            CommandRefused: it cannot be sent as asked; the message says why.
            DeviceUnknown: there is no such device.
        """
        try:
            arguments = arguments_of(wanted.name, wanted.arguments).model_dump(mode="json")
        except CommandUnfit as error:
            raise CommandRefused(str(error)) from error
        devices = self._devices(wanted)
        now = self._now()
        commands = [_made(device, wanted, arguments, operator, now) for device in devices]
        self._table.add(commands)
        due_s = time.monotonic() + RESEND_S[0]
        with self._lock:
            waiting = [self._await(command, due_s) for command in commands]
        for start in range(0, len(waiting), SENT_AT_ONCE):
            # QoS 0 is half the work of QoS 1 where a whole fleet is told; what gets lost goes out again anyway.
            self._send(waiting[start : start + SENT_AT_ONCE], 0)
        log.info("%s commands %s of %s", operator, wanted.name, _shown(devices))
        return commands

    def get(self, command: str) -> CommandRecord | None:
        """One command, or None."""
        return self._table.get([command]).get(command)

    def find(
        self, device: str | None = None, state: CommandState | None = None, since: float | None = None, limit: int = 200
    ) -> list[CommandRecord]:
        """The newest commands, newest first."""
        return self._table.find(device, state, since, limit)

    # What devices say.

    def hello(self, device: str) -> None:
        """`device` is there anew: it gets everything that it has not answered."""
        with self._lock:
            mine = list(self._waiting[device].values())
            for one in mine:
                one.due_s = time.monotonic() + RESEND_S[1]
        self._send(mine, 1)

    def arrived(self, arrival: Arrival) -> None:
        """Take an arrival on `result`; called on the network thread, never blocks."""
        self._inbox.offer(arrival)

    # On the worker.

    def _read(self, arrival: Arrival) -> Result:
        return read(arrival, self._roll.key, Result.model_validate_json, RESULT_LIMIT_BYTES)[1]

    def _take(self, said: Sequence[Result]) -> None:
        results = {one.ref: one for one in said}
        known = self._known(results)
        finished: list[tuple[str, Finish]] = []
        for ref, result in results.items():
            command = known.get(ref)
            if command is None or command.device != result.device:
                self._misfits.count(result.device, "no-such-command", "it answers a command that it was never given")
            elif may_become(command.state, CommandState(result.outcome)):
                finished.append((result.device, _finish(result)))
        self._finish(finished)

    def _known(self, results: Mapping[str, Result]) -> dict[str, CommandRecord]:
        """The commands that these answer, by id; one that has expired may still be answered."""
        with self._lock:
            waiting = {ref: self._waiting[one.device].get(ref) for ref, one in results.items()}
        found = {ref: one.command for ref, one in waiting.items() if one is not None}
        elsewhere = [ref for ref in results if ref not in found]
        return found | (self._table.get(elsewhere) if elsewhere else {})

    def _finish(self, finished: Sequence[tuple[str, Finish]]) -> None:
        if not finished:
            return
        self._table.finish([one for _, one in finished])
        with self._lock:
            for device, one in finished:
                self._waiting[device].pop(one.id, None)
        for device in dict.fromkeys(device for device, _ in finished):
            self._on_change(device)

    def _tend(self) -> None:
        """Send again what is due, and give up what is too late."""
        now, mono_s = self._now(), time.monotonic()
        with self._lock:
            waiting = [one for mine in self._waiting.values() for one in mine.values()]
        late = [one.command for one in waiting if one.command.expires + LATE_S < now]
        self._finish([(one.device, self._expired(one, now)) for one in late])
        due = [one for one in waiting if now < one.command.expires and mono_s >= one.due_s]
        there = [one for one in due if self._roll.online(one.command.device)]
        for one in there:
            one.due_s = mono_s + RESEND_S[1]
        self._send(there, 1)
        if mono_s >= self._forget_s:
            self._forget_s = mono_s + FORGET_EVERY_S
            self._table.forget(now - KEPT_S)

    def _expired(self, command: CommandRecord, now: float) -> Finish:
        there = self._roll.online(command.device)
        words = "the device is there and did not answer in time" if there else "the device was away; it was not done"
        return Finish(command.id, CommandState.EXPIRED, words, None, now)

    # How it is made and sent.

    def _devices(self, wanted: Wanted) -> list[str]:
        if sum((bool(wanted.devices), bool(wanted.school), wanted.every)) != 1:
            raise CommandRefused("say for whom: devices, a school, or all; one of the three")
        if wanted.devices:
            devices = list(dict.fromkeys(wanted.devices))
            for device in devices:
                if self._roll.get(device) is None:
                    raise DeviceUnknown(f"there is no device {device[:64]}, or it was revoked")
        else:
            devices = self._of(wanted.school)
        with self._lock:
            full = [device for device in devices if len(self._waiting[device]) >= WAITING_MAX]
        if full:
            raise CommandRefused(f"{_shown(full)} left {WAITING_MAX} commands unanswered; wait until they expire")
        return devices

    def _of(self, school: str) -> list[str]:
        """Devices of a school, or all where none is named."""
        every = self._roll.all()
        devices = [one.id for one in every if not school or one.school == school]
        if not devices and school:
            near = difflib.get_close_matches(school, {one.school for one in every}, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]}?" if near else "schools are named as the devices' list names them"
            raise CommandRefused(f"no device is of the school {school[:64]!r}; {hint}")
        if not devices:
            raise CommandRefused("there is no device yet")
        return devices

    def _await(self, command: CommandRecord, due_s: float) -> _Waiting:
        waiting = self._waiting[command.device][command.id] = _Waiting(command, due_s)
        return waiting

    def _send(self, waiting: Sequence[_Waiting], qos: int) -> None:
        for one in waiting:
            one.data = one.data or signed(parse(one.command.envelope), self._key).to_json()
        for one in waiting:
            self._publish(topics.command(one.command.device), one.data, qos)


def _made(device: str, wanted: Wanted, arguments: dict[str, Any], operator: str, now: float) -> CommandRecord:
    envelope = unsigned(Command(device=device, name=wanted.name, arguments=arguments), now, wanted.valid_s)
    text = envelope.model_dump_json()
    return CommandRecord(envelope.id, device, wanted.name, text, operator, envelope.issued, envelope.expires)


def _finish(result: Result) -> Finish:
    words = result.words.replace("\0", "")
    return Finish(result.ref, CommandState(result.outcome), words, result.model_dump_json(), result.at)


def _shown(devices: Sequence[str]) -> str:
    """A few names, or how many there are."""
    return ", ".join(devices) if len(devices) <= 3 else f"{len(devices)} devices"
