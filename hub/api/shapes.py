"""What the HTTP routes take and give, where the contract and the conductor's views do not say it already."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from contract.enrolment import fingerprint
from contract.model import DeviceId, RoomId
from contract.package import FileEntry
from hub.fleet.signs import HealthRemark, HealthState
from hub.session.views import SessionView
from hub.store.claims import ClaimRecord, ClaimState

KEY_SHOWN = 16
"""Signs of a key's fingerprint by which a person compares."""


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
    tls: bool = Field(False, description="Whether it wants TLS and the device's certificate.")


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
    health: HealthState = Field(HealthState.UNKNOWN, description="How it is, by presence and what it last told.")
    remarks: tuple[HealthRemark, ...] = Field((), description="What there is to know, to be told in any language.")
    revoked: float | None = Field(None, description="When it was shut out, in seconds of hub UTC.")


class ClaimView(Shape):
    """A claim as operators see it; never its code."""

    room: RoomId
    name: str
    school: str
    state: ClaimState
    device: str = Field(description="The device that came of it; empty before.")
    created: float = Field(description="Seconds of hub UTC, as every time here.")
    expires: float
    needs_confirming: bool
    used: float | None = Field(description="When a machine showed the code first.")
    machine: str = Field(description="That machine's fingerprint.")
    address: str = Field(description="Its address, as the hub saw it.")
    key: str = Field(description="The beginning of its key's fingerprint; the machine shows the same.")

    @classmethod
    def of(cls, claim: ClaimRecord, now: float) -> "ClaimView":
        """A claim as it stands at `now`, in seconds of hub UTC."""
        return cls(
            room=claim.room,
            name=claim.name,
            school=claim.school,
            state=claim.state(now),
            device=claim.device,
            created=claim.created,
            expires=claim.expires,
            needs_confirming=claim.needs_confirming,
            used=claim.used,
            machine=claim.machine,
            address=claim.address,
            key=fingerprint(claim.public_key)[:KEY_SHOWN] if claim.public_key else "",
        )


class AlertView(Shape):
    """Something that somebody should look at."""

    alert: int
    device: str = Field(description="Whom it is about; empty for the hub itself.")
    kind: str
    words: str
    raised: float = Field(description="Seconds of hub UTC.")
    last: float = Field(description="When it was raised last.")
    times: int = Field(description="How often since.")


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


class Figures(Shape):
    """One number in one minute or hour."""

    min: float
    max: float
    mean: float
    count: int = Field(description="Rows that had it.")


class RollupBucket(Shape):
    """One minute or hour."""

    start: int = Field(description="Hub UTC in seconds.")
    rows: int
    numbers: dict[str, Figures] = Field(description="By name; names of nested numbers are joined by dots.")


class Rollup(Shape):
    """Telemetry of one device and kind, summed up."""

    device: DeviceId
    kind: str
    step: Literal["minute", "hour"]
    seconds: int = Field(description="Length of a bucket.")
    buckets: tuple[RollupBucket, ...] = Field(description="Oldest first; none where there are no rows.")
    more: int | None = Field(description="Where to go on, as `from`, when there was too much for one answer.")


class Health(Shape):
    """That the hub answers."""

    ok: bool
    version: str


class Overview(Shape):
    """The district as the console shows it."""

    now: float = Field(description="Hub UTC, in seconds.")
    devices: tuple[DeviceView, ...]
    sessions: tuple[SessionView, ...] = Field(description="Newest first.")
    alerts: tuple[AlertView, ...] = Field((), description="Open ones, oldest first.")
    waiting: tuple[ClaimView, ...] = Field((), description="Machines that an operator must confirm.")
