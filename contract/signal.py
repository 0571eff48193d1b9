"""Signals: what hub and device tell each other about sessions, resent until answered.

Each travels as the body of a signed envelope on `signal/up` or `signal/down`.
Every signal but `received`, `clock` and `clock-reply` is answered with `received`;
a receiver answers repetitions too, and acts once.
"""

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from contract.model import DeviceId, Message, RoomId, SessionId
from contract.result import RoomResult
from contract.session import SessionOrder
from contract.state import SessionState


class Order(Message):
    """Hub to device: hold this session."""

    kind: Literal["order"] = "order"
    device: DeviceId
    order: SessionOrder


class Hello(Message):
    """Device to hub, at each connect: here I am, these orders I hold; send me what is newer."""

    kind: Literal["hello"] = "hello"
    device: DeviceId
    boot: str
    incarnation: str = Field(description="Minted each time the agent's service starts.")
    orders: dict[str, int] = Field(default_factory=dict, description="Revision held, by session.")


class RoomReport(Message):
    """Device to hub: where this room stands in a session."""

    kind: Literal["room"] = "room"
    device: DeviceId
    session: SessionId
    room: RoomId
    rev: int
    state: SessionState
    incarnation: str
    words: str = Field("", description="What a person should know, in a sentence.")
    result: RoomResult | None = Field(None, description="What was sent, received and kept; from sealed on.")


class Peer(Message):
    """Hub to device: where another room of your session stands. A new incarnation means: join anew."""

    kind: Literal["peer"] = "peer"
    device: DeviceId
    session: SessionId
    room: RoomId
    state: SessionState
    incarnation: str


class Offer(Message):
    """A receiving room offers, by way of the hub, to the lead room. Repeating an attempt does no harm."""

    kind: Literal["offer"] = "offer"
    device: DeviceId = Field(description="The device this copy is from (up) or for (down).")
    session: SessionId
    sender: RoomId
    to: RoomId
    attempt: str = Field(description="Minted for each new transport.")
    sdp: str = Field(max_length=60_000)
    tracks: dict[str, str] = Field(description="Track name by m-line id (mid), as the offering side sees them.")


class Answer(Message):
    """The lead room answers an offer."""

    kind: Literal["answer"] = "answer"
    device: DeviceId
    session: SessionId
    sender: RoomId
    to: RoomId
    attempt: str
    sdp: str = Field(max_length=60_000)


class Clock(Message):
    """Device to hub: first half of a four-timestamp exchange."""

    kind: Literal["clock"] = "clock"
    device: DeviceId
    t1_ns: int = Field(description="Device's monotonic clock at sending.")


class ClockReply(Message):
    """Hub to device: the hub's UTC at arrival and at sending, in nanoseconds."""

    kind: Literal["clock-reply"] = "clock-reply"
    device: DeviceId
    t1_ns: int
    t2_ns: int
    t3_ns: int


class Received(Message):
    """Either way: the signal in envelope `ref` arrived and is kept."""

    kind: Literal["received"] = "received"
    device: DeviceId
    ref: str
    refused: str = Field("", description="Why it could not be acted on, in words; empty when it was.")


Signal = Annotated[
    Order | Hello | RoomReport | Peer | Offer | Answer | Clock | ClockReply | Received, Field(discriminator="kind")
]
SIGNAL: TypeAdapter[Signal] = TypeAdapter(Signal)

UNANSWERED = frozenset({"received", "clock", "clock-reply"})
"""Kinds that are sent once and never answered with `received`."""
