"""What the HTTP routes take and give, where the contract and the conductor's views do not say it already."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from contract.model import DeviceId, RoomId
from contract.package import FileEntry
from hub.session.views import SessionView


class Shape(BaseModel):
    """Base of these shapes; what is sent to us may hold nothing unknown."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class DeviceIn(Shape):
    """A device to be registered."""

    device: DeviceId
    room: RoomId
    name: str = Field("", max_length=100, description="Name of the room as people call it.")
    school: str = Field("", max_length=100)
    public_key: str = Field(max_length=2000, description="The device's P-256 public key, PEM.")


class MqttAddress(Shape):
    """Where the broker is, as devices reach it."""

    host: str
    port: int


class DeviceWelcome(Shape):
    """What a device must know of the hub."""

    hub_public_key: str = Field(description="Ed25519 public key, PEM; orders and receipts are signed with it.")
    mqtt: MqttAddress


class DeviceView(Shape):
    """A registered device and its presence."""

    device: DeviceId
    room: RoomId
    name: str
    school: str
    online: bool
    last_seen: float | None = Field(description="When presence last came, in seconds of hub UTC.")
    why: str = Field(description="Why it is away, where that is known.")
    version: str


class PackageStatus(Shape):
    """What the hub holds of one room's package."""

    have: tuple[FileEntry, ...] = Field(description="Files that arrived and were verified.")
    complete: bool = Field(description="Whether the package is archived and has its receipt.")


class StreamSummary(Shape):
    """One stream of rows."""

    kind: Literal["tele", "event"]
    upto: int = Field(description="Every row up to this one is stored or declared lost.")
    rows: int = Field(description="Rows stored.")


class DeviceRows(Shape):
    """What is stored of one device."""

    stored: int
    quarantined: int = Field(description="Rows under a key that holds something else; never counted as stored.")
    gaps: int = Field(description="Rows that the device declared lost.")
    ids: int = Field(
        description="Different producers' ids among the stored rows; fewer than `stored` means duplicates."
    )
    streams: dict[str, StreamSummary]


class Health(Shape):
    """That the hub answers."""

    ok: bool
    version: str


class Overview(Shape):
    """The district as the console shows it."""

    now: float = Field(description="Hub UTC, in seconds.")
    devices: tuple[DeviceView, ...]
    sessions: tuple[SessionView, ...] = Field(description="Newest first.")
