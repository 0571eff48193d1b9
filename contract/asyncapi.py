"""The MQTT side as an AsyncAPI 3.0 document, made from topics and messages: what the code says, for other languages.

`docs/asyncapi.json` is this document; a test compares them, and both with what agent and hub subscribe to.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from contract import signal, topics
from contract.command import Command, Result
from contract.envelope import Envelope
from contract.model import Message
from contract.session import SessionOrder
from contract.telemetry import DeviceState, HubState, Row, Watermark
from contract.twin import Desired, Reported, TwinConfig

DEVICE = "{device}"
DEVICE_PATTERN = "[a-z0-9][a-z0-9-]{1,62}"
VERSION = "1.0.0"
"""Version of the contract: the first number is that of the topics and of `v` in the messages."""


class Side(StrEnum):
    """Who speaks."""

    DEVICE = "device"
    HUB = "hub"


@dataclass(frozen=True, slots=True)
class Channel:
    """One topic: who sends what, who hears it."""

    name: str
    address: str
    sender: Side
    hearers: tuple[Side, ...]
    messages: tuple[type[Message], ...]
    words: str
    signed: bool = False
    """Whether messages travel as the body of an envelope that the sender has signed."""
    retained: bool = False
    will: bool = False
    """Whether the sender's last will is a message of this topic."""


UP = (Side.HUB,)
DOWN = (Side.DEVICE,)

CHANNELS: tuple[Channel, ...] = (
    Channel(
        "state",
        topics.state(DEVICE),
        Side.DEVICE,
        (Side.HUB, Side.DEVICE),
        (DeviceState,),
        "Presence: a birth at each connect, a death by will. The device hears its own: the will of a connection that "
        "broke may come after the birth of the next, which is then told again.",
        retained=True,
        will=True,
    ),
    Channel("tele", topics.tele(DEVICE), Side.DEVICE, UP, (Row,), "Rows of the telemetry outbox: health, figures."),
    Channel("event", topics.event(DEVICE), Side.DEVICE, UP, (Row,), "Rows of the event outbox: what happened."),
    Channel(
        "ack",
        topics.ack(DEVICE),
        Side.HUB,
        DOWN,
        (Watermark,),
        "How far a stream is committed. A device lets a row go after this and not before; a PUBACK means nothing.",
    ),
    Channel(
        "signalUp",
        topics.signal_up(DEVICE),
        Side.DEVICE,
        UP,
        (signal.Hello, signal.RoomReport, signal.Offer, signal.Answer, signal.Clock, signal.Received),
        "Signals about sessions, sent again until answered.",
        signed=True,
    ),
    Channel(
        "signalDown",
        topics.signal_down(DEVICE),
        Side.HUB,
        DOWN,
        (signal.Order, signal.Peer, signal.Offer, signal.Answer, signal.ClockReply, signal.Received),
        "Signals about sessions, sent again until answered.",
        signed=True,
    ),
    Channel(
        "command",
        topics.command(DEVICE),
        Side.HUB,
        DOWN,
        (Command,),
        "Commands: acted on at most once, never after their expiry; sent again until their result comes.",
        signed=True,
    ),
    Channel(
        "result", topics.result(DEVICE), Side.DEVICE, UP, (Result,), "What came of a command, said again.", signed=True
    ),
    Channel(
        "twinDesired",
        topics.twin_desired(DEVICE),
        Side.HUB,
        DOWN,
        (Desired,),
        "The configuration that the hub wants.",
        signed=True,
        retained=True,
    ),
    Channel(
        "twinReported",
        topics.twin_reported(DEVICE),
        Side.DEVICE,
        UP,
        (Reported,),
        "The configuration that the device has.",
        signed=True,
        retained=True,
    ),
    Channel(
        "hubState",
        topics.HUB_STATE,
        Side.HUB,
        DOWN,
        (HubState,),
        "Presence of the hub.",
        retained=True,
        will=True,
    ),
)
"""Every topic there is."""

BODIES: tuple[type[Message], ...] = (Envelope, SessionOrder)
QOS_0 = frozenset({signal.Clock, signal.ClockReply, Watermark})
"""Sent with QoS 0: a time that comes late measures nothing, and a watermark is told again with every row."""


def heard_by(side: Side) -> frozenset[str]:
    """Addresses that `side` subscribes to, with `{device}` for the device's level."""
    return frozenset(one.address for one in CHANNELS if side in one.hearers)


def sent_by(side: Side) -> frozenset[str]:
    """Addresses that `side` publishes to, with `{device}` for the device's level."""
    return frozenset(one.address for one in CHANNELS if one.sender is side)


def document() -> dict[str, Any]:
    """The whole document."""
    return {
        "asyncapi": "3.0.0",
        "id": "urn:tongtang:tt:v1",
        "info": {
            "title": "Tongtang: what agent and hub say to each other over MQTT",
            "version": VERSION,
            "description": (
                "MQTT 3.1.1, clean sessions, JSON in UTF-8. Operations are named for the side that acts: `hub...` and "
                "`device...`. docs/protocol.md says in words what this says in schemas."
            ),
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": _servers(),
        "channels": {one.name: _channel(one) for one in CHANNELS},
        "operations": dict(item for one in CHANNELS for item in _operations(one)),
        "components": {
            "schemas": _schemas(),
            "messages": _messages(),
            "parameters": {"device": {"description": f"The device's id, as {DEVICE_PATTERN}; never `hub`."}},
            "securitySchemes": {
                "certificate": {
                    "type": "X509",
                    "description": (
                        "TLS with a client certificate of the hub's own authority. Its common name is the device's "
                        "id, the user name and the MQTT client id; the broker lets a device write and read its own "
                        "topics and nothing else."
                    ),
                }
            },
        },
    }


def _servers() -> dict[str, Any]:
    return {
        "district": {
            "host": "{hub}:{port}",
            "protocol": "mqtts",
            "protocolVersion": "3.1.1",
            "description": "The district's broker. Plain MQTT is taken on loopback alone.",
            "variables": {
                "hub": {"default": "hub.district.example", "description": "As the hub says at enrolment."},
                "port": {"default": "8883", "description": "As the hub says at enrolment."},
            },
            "security": [{"$ref": "#/components/securitySchemes/certificate"}],
        }
    }


def _channel(one: Channel) -> dict[str, Any]:
    told: dict[str, Any] = {
        "address": one.address,
        "description": one.words,
        "messages": {
            message.__name__: {"$ref": f"#/components/messages/{_message_name(one, message)}"}
            for message in one.messages
        },
    }
    if DEVICE in one.address:
        told["parameters"] = {"device": {"$ref": "#/components/parameters/device"}}
    if one.will:
        told["x-last-will"] = "The same message with `online: false`."
    return told


def _operations(one: Channel) -> list[tuple[str, dict[str, Any]]]:
    named = one.name[0].upper() + one.name[1:]
    sends = (f"{one.sender}Sends{named}", _operation(one, one.sender, "send"))
    hears = [(f"{side}Receives{named}", _operation(one, side, "receive")) for side in one.hearers]
    return [sends, *hears]


def _operation(one: Channel, side: Side, action: str) -> dict[str, Any]:
    qos = 0 if all(message in QOS_0 for message in one.messages) else 1
    binding: dict[str, Any] = {"qos": qos, "bindingVersion": "0.2.0"}
    if action == "send":
        binding["retain"] = one.retained
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{one.name}"},
        "tags": [{"name": str(side)}],
        "bindings": {"mqtt": binding},
    }


def _message_name(one: Channel, message: type[Message]) -> str:
    """Name of a message in the components; what is signed travels otherwise than what is not."""
    return f"Signed{message.__name__}" if one.signed else message.__name__


def _messages() -> dict[str, Any]:
    told: dict[str, dict[str, Any]] = {}
    for one in CHANNELS:
        for message in one.messages:
            ref: Mapping[str, Any] = {"$ref": f"#/components/schemas/{message.__name__}"}
            words = " ".join((message.__doc__ or "").split())
            payload = _enveloped(ref) if one.signed else ref
            name = _message_name(one, message)
            told[name] = {"name": name, "title": message.__name__, "summary": words, "payload": payload}
            if message in QOS_0:
                told[name]["x-qos"] = 0
    return told


def _enveloped(body: Mapping[str, Any]) -> dict[str, Any]:
    """An envelope whose `body` is the JSON text of such a message."""
    text = {"type": "string", "contentMediaType": "application/json", "contentSchema": body}
    return {"allOf": [{"$ref": "#/components/schemas/Envelope"}, {"properties": {"body": text}}]}


def _schemas() -> dict[str, Any]:
    carried = [message for one in CHANNELS for message in one.messages]
    models: dict[type[BaseModel], None] = dict.fromkeys([*BODIES, *carried, TwinConfig])
    _, told = models_json_schema(
        [(model, "validation") for model in models], ref_template="#/components/schemas/{model}"
    )
    return dict(sorted(told["$defs"].items()))
