"""Commands of the hub in this classroom: checked, written down, done once, answered.

What is written down before it is done is never done again, whatever is killed in between.
What comes too late, or while this machine does not know the hub's time, is not done at all.
"""

import logging
import queue
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from pydantic import ValidationError

from agent.report.journal import Begun, Journal, JournalUnusable
from contract.command import (
    COMMAND_LIMIT_BYTES,
    WORDS_LIMIT,
    Command,
    CommandName,
    CommandUnfit,
    Outcome,
    Result,
    arguments_of,
)
from contract.envelope import BadSignature, Envelope, Malformed, PublicKey, parse, sign, verify
from contract.settings import Settings

log = logging.getLogger(__name__)

WAITING_MAX = 64
"""Commands that wait to be looked at; beyond it they are dropped, and the hub sends them again."""
TOLD_AGAIN_S = 3600.0
"""Results of this last time are told again at each connect, in seconds; so often is told of commands refused unread."""
TOLD_AGAIN = 32
RESULT_VALID_S = 86_400.0
DATA_MAX_BYTES = 24 << 10
END_WAIT_S = 5.0
ANEW = "the service has started anew"
CUT_OFF = "the service ended while this was being done; nobody knows how far it came, and it is not done again"


class ActRefused(Exception):
    """A command is not done, as things are; the message says why."""


class ActFailed(Exception):
    """A command was tried and did not succeed; the message says why."""


@dataclass(frozen=True, slots=True)
class Done:
    """What a command gave."""

    words: str
    data: dict[str, Any] = field(default_factory=dict)


Act = Callable[[Settings], Done | None]
"""Does one kind of command, on the thread of the commands; None where the next life of the service answers."""


class HubTime(Protocol):
    """The hub's time, as far as it is known here."""

    @property
    def heard(self) -> bool:
        """Whether it comes from the hub."""

    def now(self) -> float:
        """Hub UTC, in seconds."""

    def error_ns(self, mono_ns: int) -> int:
        """Bound of its error at that moment of the monotonic clock, in ns."""


class _Unfit(Exception):
    """Not acted on and not answered; `reason` is a short name to count by."""

    def __init__(self, reason: str, words: str) -> None:
        super().__init__(words)
        self.reason = reason


class Commands:
    """Takes commands from the network thread, and does them one after the other on a thread of its own.

    Args:
        device: identifier of this device.
        key: this device's private key.
        hub_key: the hub's public key.
        journal: what was begun.
        clock: the hub's time.
        publish: sends bytes on `result`; False where there is no connection.
        event: reports an event.
        acts: what can be done here, by name.
    """

    def __init__(
        self,
        device: str,
        key: EllipticCurvePrivateKey,
        hub_key: PublicKey,
        journal: Journal,
        clock: HubTime,
        publish: Callable[[bytes], bool],
        event: Callable[[str, dict[str, Any]], object],
        acts: Mapping[CommandName, Act],
    ) -> None:
        self._device = device
        self._key = key
        self._hub_key = hub_key
        self._journal = journal
        self._clock = clock
        self._publish = publish
        self._event = event
        self._acts = acts
        self._queue: queue.Queue[bytes | Callable[[], None]] = queue.Queue(WAITING_MAX)
        self._ending = threading.Event()
        self._counts: Counter[str] = Counter()
        self._told: dict[str, float] = {}
        self._thread = threading.Thread(target=self._run, name="commands", daemon=True)

    def start(self) -> None:
        """Settle what an earlier life left, and begin."""
        self._thread.start()

    def stop(self) -> None:
        """Do no more; what is being done may end."""
        self._ending.set()
        self._offer(lambda: None)
        if self._thread.is_alive():
            self._thread.join(END_WAIT_S)

    @property
    def counts(self) -> dict[str, int]:
        """Commands that were not acted on, by reason; `repeated` ones were answered as before."""
        return dict(self._counts)

    def arrived(self, data: bytes) -> None:
        """Take what came on `command`; called on the network thread, never blocks."""
        if len(data) > COMMAND_LIMIT_BYTES:
            self._not_acted("oversized", f"{len(data)} bytes are too many for a command")
        elif not self._offer(data):
            self._not_acted("queue-full", "more commands than can be looked at; they will come again")

    def connected(self) -> None:
        """The hub is in reach: tell it again what came of the last commands."""
        self._offer(self._tell_again)

    def _offer(self, what: bytes | Callable[[], None]) -> bool:
        try:
            self._queue.put_nowait(what)
        except queue.Full:
            return False
        return True

    # On the thread of the commands.

    def _run(self) -> None:
        self._settle()
        while not self._ending.is_set():
            what = self._queue.get()
            if self._ending.is_set():
                return
            try:
                if callable(what):
                    what()
                else:
                    self._take(what)
            except _Unfit as unfit:
                self._not_acted(unfit.reason, str(unfit))
            except Exception:
                # The next command must still be looked at.
                log.exception("a command could not be looked at")

    def _settle(self) -> None:
        """Say what became of what an earlier life began: a restart is done, anything else was cut off."""
        for begun in self._journal.cut_off():
            anew = begun.name == CommandName.RESTART
            outcome, words = (Outcome.DONE, ANEW) if anew else (Outcome.INTERRUPTED, CUT_OFF)
            self._finish(begun, outcome, Done(words))

    def _take(self, data: bytes) -> None:
        envelope, command = self._read(data)
        nonce = envelope.nonce
        if self._journal.knows(nonce):
            self._counts["repeated"] += 1
            known = self._journal.result(nonce)
            if known is not None:
                self._tell(known)
            return
        if not self._clock.heard:
            raise _Unfit("no-time", "this machine does not know the hub's time yet, so a command may be too late")
        begun = Begun(nonce=nonce, ref=envelope.id, name=command.name, expires=envelope.expires)
        if late := self._late(envelope.expires):
            self._counts["late"] += 1
            log.warning("command %s is not done: %s", command.name, late)
            self._tell(self._result(begun, Outcome.REFUSED, Done(late)))
            return
        try:
            self._journal.begin(begun, self._clock.now())
        except JournalUnusable as error:
            self._counts["journal"] += 1
            log.warning("command %s is not done: %s", command.name, error)
            self._tell(self._result(begun, Outcome.REFUSED, Done(f"it could not be written down first: {error}")))
            return
        self._do(begun, command)

    def _read(self, data: bytes) -> tuple[Envelope, Command]:
        try:
            envelope = parse(data)
            verify(envelope, self._hub_key, None)
            command = Command.model_validate_json(envelope.body)
        except (Malformed, ValidationError) as error:
            raise _Unfit("malformed", f"no command: {type(error).__name__}") from error
        except BadSignature as error:
            raise _Unfit("forged", str(error)) from error
        if command.device != self._device:
            raise _Unfit("another-device", f"it is for {command.device}")
        return envelope, command

    def _late(self, expires: float) -> str:
        """Why a command may be too late, in words, whatever the clock's error; empty where it surely is not."""
        now = self._clock.now()
        error_s = self._clock.error_ns(time.monotonic_ns()) / 1e9
        if now + error_s < expires:
            return ""
        return f"it expired {now - expires:.1f} s ago (the hub's time is known here to {error_s:.1f} s)"

    def _do(self, begun: Begun, command: Command) -> None:
        try:
            done = self._acted(begun, command)
        except (CommandUnfit, ActRefused) as refused:
            self._finish(begun, Outcome.REFUSED, Done(str(refused)))
        except ActFailed as failed:
            self._finish(begun, Outcome.FAILED, Done(str(failed)))
        except Exception as error:
            log.exception("command %s ended with a fault in the program", command.name)
            self._finish(begun, Outcome.FAILED, Done(f"a fault in the program: {type(error).__name__}"))
        else:
            if done is not None:
                self._finish(begun, Outcome.DONE, done)

    def _acted(self, begun: Begun, command: Command) -> Done | None:
        arguments = arguments_of(command.name, command.arguments)
        act = self._acts.get(CommandName(command.name))
        if act is None:
            raise ActRefused(f"this machine cannot do {command.name}")
        if late := self._late(begun.expires):  # writing it down took its time
            raise ActRefused(late)
        return act(arguments)

    def _finish(self, begun: Begun, outcome: Outcome, done: Done) -> None:
        result = self._result(begun, outcome, done)
        self._journal.finish(begun.nonce, result)
        log.info("command %s: %s %s", begun.name, outcome, result.words)
        self._event("command", {"name": begun.name, "outcome": outcome, "words": result.words, "ref": begun.ref})
        self._tell(result)

    def _result(self, begun: Begun, outcome: Outcome, done: Done) -> Result:
        result = Result(
            device=self._device,
            ref=begun.ref,
            outcome=outcome,
            words=done.words[:WORDS_LIMIT],
            data=done.data,
            at=self._clock.now(),
        )
        if len(result.model_dump_json().encode()) <= DATA_MAX_BYTES:
            return result
        words = f"{result.words[: WORDS_LIMIT // 2]} (what else there was to say is too long to be sent)"
        return result.model_copy(update={"words": words, "data": {}})

    def _tell(self, result: Result) -> None:
        self._publish(sign(result, self._key, self._clock.now(), RESULT_VALID_S).to_json())

    def _tell_again(self) -> None:
        for result in self._journal.results(self._clock.now() - TOLD_AGAIN_S)[-TOLD_AGAIN:]:
            self._tell(result)

    def _not_acted(self, reason: str, words: str) -> None:
        """Count it; tell hub and log of each reason at most once an hour."""
        self._counts[reason] += 1
        now = time.monotonic()
        if now - self._told.get(reason, float("-inf")) < TOLD_AGAIN_S:
            return
        self._told[reason] = now
        log.warning("a command is not acted on (%s): %s", reason, words)
        self._event("command.unfit", {"reason": reason, "words": words, "count": self._counts[reason]})
