"""A device as the hub hears it: a real MQTT client with a real key, and an outbox with go-back."""

import threading
import time
from collections.abc import Callable

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from contract import topics
from contract.envelope import parse, sign, verify
from contract.keys import new_device_key, public_pem
from contract.signal import SIGNAL, UNANSWERED, Received
from contract.telemetry import DeviceState, Row, Watermark


def eventually(true: Callable[[], object], within_s: float = 40.0) -> None:
    """Wait until something is true; fail where it does not become so."""
    until = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < until, "it did not come true in time"
        time.sleep(0.02)


class Speaker:
    """One device. `down` holds every verified signal it was sent, repetitions too."""

    def __init__(self, device: str, port: int, *, answers: bool = True) -> None:
        self.device = device
        self.key = new_device_key()
        self.pem = public_pem(self.key)
        self.answers = answers
        self.hub_key = None
        self.down = []
        self.marks: dict[str, int] = {}
        self.rewinds: list[Watermark] = []
        self.hub_states: list[bytes] = []
        self.ready = threading.Event()
        self.client = client = paho.Client(CallbackAPIVersion.VERSION2, client_id=f"{device}-{id(self)}")
        client.reconnect_delay_set(1, 1)
        client.max_inflight_messages_set(1000)
        will = DeviceState(device=device, online=False, incarnation="i1", why="link lost")
        client.will_set(topics.state(device), will.model_dump_json(), qos=1, retain=True)
        client.on_connect = self._connected
        client.on_subscribe = lambda *_: self.ready.set()
        client.on_disconnect = lambda *_: self.ready.clear()
        client.on_message = self._heard
        client.connect_async("127.0.0.1", port, keepalive=5)
        client.loop_start()
        assert self.ready.wait(10), "the broker did not answer"

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()

    def cut(self) -> None:
        """Lose the connection without a word, for good, so that the will is told."""
        self.client.on_connect = None
        self.client.loop_stop()
        self.client.socket().close()

    def birth(self) -> None:
        state = DeviceState(device=self.device, online=True, boot="b1", incarnation="i1", version="1")
        self.client.publish(topics.state(self.device), state.model_dump_json(), qos=1, retain=True)

    def row(self, stream: str, seq: int, kind: str = "tele", first: int = 1, **said) -> None:
        said = {"id": f"{stream}-{seq}", "data": {"n": seq}} | said
        row = Row(stream=stream, seq=seq, first=first, kind="health", boot="b1", mono_ns=seq, wall=1.0, **said)
        self.raw(getattr(topics, kind)(self.device), row.model_dump_json().encode())

    def raw(self, topic: str, payload: bytes) -> None:
        self.client.publish(topic, payload, qos=1)

    def say(self, signal, *, key=None, now: float | None = None, valid_s: float = 60.0):
        """Send a signal once; returns its envelope."""
        envelope = sign(signal, key or self.key, time.time() if now is None else now, valid_s)
        self.raw(topics.signal_up(self.device), envelope.to_json())
        return envelope

    def told(self, kind: str) -> list:
        return [signal for signal in self.down if signal.kind == kind]

    def answer_to(self, envelope) -> Received | None:
        return next((one for one in self.told("received") if one.ref == envelope.id), None)

    def _connected(self, client, *_):
        client.subscribe([(topics.signal_down(self.device), 1), (topics.ack(self.device), 1), (topics.HUB_STATE, 1)])

    def _heard(self, _client, _data, message):
        if message.topic == topics.HUB_STATE:
            self.hub_states.append(message.payload)
        elif message.topic == topics.ack(self.device):
            mark = Watermark.model_validate_json(message.payload)
            self.marks[mark.stream] = max(mark.upto, self.marks.get(mark.stream, 0))
            if mark.rewind:
                self.rewinds.append(mark)
        else:
            envelope = parse(message.payload)
            if self.hub_key is not None:
                verify(envelope, self.hub_key, time.time())
            signal = SIGNAL.validate_json(envelope.body)
            self.down.append(signal)
            if self.answers and signal.kind not in UNANSWERED:
                self.say(Received(device=self.device, ref=envelope.id))
