"""Rows of the outboxes, the watermark that lets them go, and a device's presence."""

from typing import Annotated, Any

from pydantic import Field, StringConstraints

from contract.model import DeviceId, Message

PRINTABLE = r"^[^\p{C}\p{Zl}\p{Zp}]*$"
LARGEST = 2**63 - 1
"""What the tables of every hub can hold."""

Word = Annotated[str, StringConstraints(max_length=64, pattern=PRINTABLE)]
"""A short text that can be shown, and that every database can hold: no control characters."""

Name = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=PRINTABLE)]
"""The same, and not empty."""


class Number(Message):
    """A row's place in a stream."""

    stream: Name
    seq: int = Field(ge=1, le=LARGEST)


class Row(Message):
    """One telemetry sample or event on its way to the hub.

    `stream` and `seq` are the outbox's; `id` is the producer's, minted before the
    row reaches the outbox, so that losses and duplicates can be counted from outside.
    """

    v: int = 1
    stream: Name = Field(description="Minted with the outbox file.")
    seq: int = Field(ge=1, le=LARGEST, description="Contiguous within the stream.")
    first: int = Field(ge=1, description="Oldest row of the stream that is not yet acknowledged.")
    kept: int | None = Field(
        None,
        ge=1,
        description="Oldest row that can still be sent: acknowledged ones are kept for a hub that was restored; "
        "what lies before it is lost. Absent: as if it were `first`.",
    )
    was: Number | None = Field(
        None,
        description="Under which the row may have gone out before its device began a new stream: a hub that has this "
        "very row there does not store it again.",
    )
    id: Name
    kind: Word = Field(description="What it is: `health`, `link`, `lesson.live`, `record.disk-full` ...")
    boot: Word
    mono_ns: int = Field(ge=-LARGEST, le=LARGEST, description="Device's CLOCK_MONOTONIC when it happened.")
    wall: float = Field(allow_inf_nan=False, description="Device's wall clock, for people; nothing is ordered by it.")
    data: dict[str, Any] = Field(default_factory=dict)


class Watermark(Message):
    """The hub has committed every row of `stream` up to and including `upto`."""

    v: int = 1
    stream: str
    upto: int = Field(ge=0)
    rewind: bool = Field(
        default=False,
        description="The hub lacks acknowledged rows, because its database was restored: nothing beyond `upto` counts "
        "as acknowledged any more, and it is sent again.",
    )


class DeviceState(Message):
    """A device's retained presence: birth on connect, death by will."""

    v: int = 1
    device: DeviceId
    online: bool
    boot: str = ""
    incarnation: str = ""
    version: str = ""
    machine: str = Field("", description="Fingerprint of the machine; a copy of its disk elsewhere has another.")
    wall: float = 0.0
    why: str = ""


class HubState(Message):
    """The hub's retained presence."""

    v: int = 1
    online: bool
    version: str = ""
    incarnation: str = ""
