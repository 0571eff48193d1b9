"""The twin (设备影子): the configuration that the hub wants a device to have, and the one that it has.

Only what is listed here can be set from afar. Tables and keys are those of the device's own
`agent.toml`, over which the twin goes; what it leaves out stays as it stands there. A bound that
both have stands here once; the twin's own are narrower, because nobody stands beside the device.
"""

import difflib
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field, ValidationError

from contract.model import DeviceId, Message
from contract.settings import Settings

TWIN_LIMIT_BYTES = 32 << 10
"""Longest desired or reported configuration, envelope and all, in bytes."""
WORDS_LIMIT = 2000
REV_MAX = 2**31 - 1

# Bounds that the twin and `agent.toml` share.
KeepaliveS = Annotated[int, Field(ge=3, le=300)]
Width = Annotated[int, Field(ge=160, le=3840)]
Height = Annotated[int, Field(ge=90, le=2160)]
FrameRate = Annotated[int, Field(ge=5, le=60)]
BitrateBps = Annotated[int, Field(ge=100_000, le=50_000_000)]
PeopleHz = Annotated[float, Field(gt=0, le=5)]
SlidesHz = Annotated[float, Field(gt=0, le=10)]
UploadBps = Annotated[int, Field(ge=0)]
HEALTH_MAX_S = 3600


class HubPart(Settings):
    """How the device keeps its connection."""

    keepalive_s: KeepaliveS | None = Field(None, description="Seconds between signs of life.")


class SourcesPart(Settings):
    """What the room is heard with."""

    loudspeaker: str | None = Field(
        None, min_length=1, max_length=100, description="`default`, a part of a device's name, or `none`."
    )


class VideoPart(Settings):
    """What this machine carries."""

    width_max: Width | None = Field(None, description="Widest picture encoded there, in pixels.")
    height_max: Height | None = Field(None, description="Highest picture, in pixels.")
    fps_max: FrameRate | None = Field(None, description="Most frames encoded in a second.")
    bitrate_max: BitrateBps | None = Field(None, description="Most bit/s a track.")


class ObservePart(Settings):
    """On-device analytics; what a session's policy does not allow never runs."""

    enabled: bool | None = Field(None, description="Run analytics where the policy of the session allows.")
    people_hz: PeopleHz | None = Field(None, description="Counts of people in a second.")
    slides_hz: SlidesHz | None = Field(None, description="Looks at the slides in a second.")


class RecordPart(Settings):
    """Lesson packages on the device's disk."""

    keep_uploaded: bool | None = Field(None, description="Whether a package stays there after the hub's receipt.")
    upload_bps: UploadBps | None = Field(None, le=10**10, description="Most bit/s an upload may take; 0: no limit.")


class ReportPart(Settings):
    """Telemetry."""

    health_s: float | None = Field(None, ge=1, le=HEALTH_MAX_S, description="Seconds between two health samples.")


class TwinConfig(Settings):
    """Everything that can be set from afar; what is None stays as the device's own settings have it."""

    hub: HubPart = HubPart()
    sources: SourcesPart = SourcesPart()
    video: VideoPart = VideoPart()
    observe: ObservePart = ObservePart()
    record: RecordPart = RecordPart()
    report: ReportPart = ReportPart()

    def plain(self) -> dict[str, dict[str, Any]]:
        """What is set, by table and key."""
        told = self.model_dump(mode="json", exclude_none=True)
        return {table: keys for table, keys in told.items() if keys}


class TwinStatus(StrEnum):
    """How a device stands to the newest revision that it was told."""

    WAITING = "waiting"
    """It is kept there, and takes effect when no lesson is on or near."""
    APPLIED = "applied"
    """It is in force, and the device is well with it."""
    REFUSED = "refused"
    """It cannot be used there; the one before stays in force."""
    RESTORED = "restored"
    """It was in force and the device was not well with it; the one before is in force again."""


class Desired(Message):
    """Hub to device, signed and retained: this is the configuration that you should have."""

    v: int = 1
    device: DeviceId
    rev: int = Field(ge=1, le=REV_MAX, description="Revision; only grows.")
    config: dict[str, Any] = Field(description="As `TwinConfig`; judged anew by the device.")


class Reported(Message):
    """Device to hub, signed and retained: how it stands to the newest revision it knows."""

    v: int = 1
    device: DeviceId
    rev: int = Field(ge=0, le=REV_MAX, description="The revision that is spoken of; 0 where none ever came.")
    status: TwinStatus
    words: str = Field("", max_length=WORDS_LIMIT, description="For people.")
    config: dict[str, Any] = Field(default_factory=dict, description="What is in force of what can be set from afar.")


class TwinUnfit(Exception):
    """A configuration that cannot be set; the message has a clause for each thing to mend."""


def understood(config: Mapping[str, Any]) -> TwinConfig:
    """`config` (keys by table) as what can be set.

    Raises:
        TwinUnfit: a key is unknown or not to be set from afar, or a value is out of bounds.
    """
    try:
        return TwinConfig.model_validate(dict(config))
    except ValidationError as error:
        raise TwinUnfit("; ".join(_line(one) for one in error.errors())) from error


def settable() -> tuple[str, ...]:
    """The name of everything that can be set, as in `report.health_s`."""
    return tuple(_names())


def _names() -> Iterator[str]:
    for table in TwinConfig.model_fields:
        part = getattr(TwinConfig(), table)
        yield from (f"{table}.{key}" for key in type(part).model_fields)


def _line(error: Any) -> str:
    where = ".".join(str(step) for step in error["loc"])[:100]
    if error["type"] != "extra_forbidden":
        return f"{where}: {error['msg'][0].lower()}{error['msg'][1:]}"
    # Somebody may have left out the table, or taken another one: the last part counts as well.
    names = settable()
    last = where.rpartition(".")[2]
    near = next((name for name in names if name.rpartition(".")[2] == last), None)
    near = near or next(iter(difflib.get_close_matches(where, names, n=1, cutoff=0.6)), None)
    hint = f"did you mean {near}?" if near else f"there are: {', '.join(names)}"
    return f"{where}: there is no such setting in the twin; {hint}"
