"""Tells a running mosquitto who may come in from now on, and who no longer."""

import json
import logging
import secrets
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Self

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from contract import topics
from hub.broker.dynsec import ANSWERS, COMMANDS, Json, admission, expulsion, refusals

ANSWER_WAIT_S = 5.0
RETRY_S = (0.2, 5.0)
"""First and longest pause before a change is told again, in seconds."""
KEEPALIVE_S = 20
STOP_WAIT_S = 2.0
BATCH = 100
"""Devices told of in one message; mosquitto takes 1 MiB."""

log = logging.getLogger("hub.broker")


class ControlSilent(Exception):
    """The broker did not take a command; the message says why."""


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of one device."""

    device: str
    commands: Sequence[Json]
    clear: Sequence[str] = ()
    """Topics whose retained message goes."""
    done: threading.Event = field(default_factory=threading.Event)


def admitted(device: str) -> Change:
    """`device` may come in."""
    return Change(device, admission(device))


def expelled(device: str) -> Change:
    """`device` may not come in, and is cut off; nor does its last presence stay, for its will is not told."""
    return Change(device, expulsion(device), clear=(topics.state(device),))


class Control:
    """Tells changes until they are done, the newest of each device. Thread-safe.

    Each round has a connection of its own, so that nothing must be looked after in between.

    Args:
        address: where the broker listens for the hub.
        context: makes the TLS context of the hub as a client.
    """

    def __init__(self, address: tuple[str, int], context: Callable[[], ssl.SSLContext]) -> None:
        self._address = address
        self._make_context = context
        self._context: ssl.SSLContext | None = None
        self._changed = threading.Condition()
        self._owed: dict[str, Change] = {}
        self._ending = False
        self._thread: threading.Thread | None = None

    def tell(self, change: Change, timeout_s: float) -> bool:
        """Have a change made; False where it is not done after `timeout_s` seconds and will be told again."""
        with self._changed:
            self._owed.pop(change.device, None)
            self._owed[change.device] = change
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="hub.control", daemon=True)
                self._thread.start()
            self._changed.notify_all()
        return change.done.wait(timeout_s)

    def forget(self) -> None:
        """Owe nothing: the broker begins anew, from the database."""
        with self._changed:
            for change in self._owed.values():
                change.done.set()
            self._owed.clear()

    def stop(self) -> None:
        """End; what is owed stays untold."""
        with self._changed:
            self._ending = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(STOP_WAIT_S)

    def _run(self) -> None:
        pause_s = 0.0
        while batch := self._next(pause_s):
            try:
                self._tell(batch)
            except (ControlSilent, OSError, ValueError, RuntimeError) as error:  # the latter two are paho's
                if not pause_s:
                    log.warning("the broker does not learn of %s yet: %s", batch[0].device, error)
                pause_s = min(RETRY_S[1], max(RETRY_S[0], pause_s * 2))
            else:
                pause_s = 0.0
                self._settle(batch)

    def _next(self, pause_s: float) -> list[Change]:
        """What is told next, after a pause; empty where it is time to end."""
        with self._changed:
            self._changed.wait_for(lambda: self._ending, timeout=pause_s)
            self._changed.wait_for(lambda: self._ending or self._owed)
            return [] if self._ending else list(islice(self._owed.values(), BATCH))

    def _settle(self, batch: Sequence[Change]) -> None:
        with self._changed:
            for change in batch:
                if self._owed.get(change.device) is change:
                    del self._owed[change.device]
                change.done.set()

    def _tell(self, batch: Sequence[Change]) -> None:
        """One round: connect, tell, wait for the answers, part."""
        if self._context is None:
            self._context = self._make_context()
        with _Round(self._address, self._context) as talk:
            commands = [command for change in batch for command in change.commands]
            for words in refusals(talk.ask(commands)):
                log.error("the broker refused a change of its access rules: %s", words)
            for topic in (topic for change in batch for topic in change.clear):
                talk.clear(topic)


class _Round:
    """One connection, used by one thread."""

    def __init__(self, address: tuple[str, int], context: ssl.SSLContext) -> None:
        self._address = address
        self._answers: list[Json] = []
        self._refused = ""
        self._subscribed = threading.Event()
        self._answered = threading.Event()
        self._token = secrets.token_hex(8)
        self._client = client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id=f"hub-control-{self._token}", reconnect_on_failure=False
        )
        client.tls_set_context(context)
        client.on_connect = self._connected
        client.on_subscribe = lambda *_: self._subscribed.set()
        client.on_disconnect = self._gone
        client.on_message = self._arrived

    def __enter__(self) -> Self:
        self._client.connect(*self._address, keepalive=KEEPALIVE_S)
        self._client.loop_start()
        try:
            self._wait(self._subscribed, "it does not answer")
        except ControlSilent:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def ask(self, commands: Sequence[Json]) -> list[Json]:
        """Give commands and wait for an answer to each.

        Raises:
            ControlSilent: it came too late, or not at all.
        """
        told = [{**command, "correlationData": self._token} for command in commands]
        self._client.publish(COMMANDS, json.dumps({"commands": told}).encode(), qos=1)
        self._wait(self._answered, "it does not answer commands; is the dynamic-security plugin loaded?")
        return self._answers

    def clear(self, topic: str) -> None:
        """Take away the retained message of `topic`."""
        self._client.publish(topic, b"", qos=1, retain=True).wait_for_publish(ANSWER_WAIT_S)

    def _wait(self, event: threading.Event, words: str) -> None:
        until = time.monotonic() + ANSWER_WAIT_S
        while not event.wait(0.05):
            if self._refused or time.monotonic() > until:
                raise ControlSilent(self._refused or words)

    def _connected(self, client: paho.Client, _data: Any, _flags: Any, reason: ReasonCode, _properties: Any) -> None:
        if reason.is_failure:
            self._refused = f"it refused the hub: {reason}"
        else:
            client.subscribe(ANSWERS, qos=1)

    def _gone(self, _client: Any, _data: Any, _flags: Any, reason: ReasonCode, _properties: Any) -> None:
        if reason.is_failure:
            self._refused = self._refused or f"the connection broke: {reason}"

    def _arrived(self, _client: Any, _data: Any, message: paho.MQTTMessage) -> None:
        try:
            answers = json.loads(message.payload)["responses"]
        except (ValueError, KeyError, TypeError):
            return
        mine = [one for one in answers if isinstance(one, dict) and one.get("correlationData") == self._token]
        if mine:
            self._answers = mine
            self._answered.set()
