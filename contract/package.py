"""The lesson package: manifest, parts, gaps, and the hub's receipt for it."""

from typing import Literal

from pydantic import Field

from contract.clock import ClockRecord
from contract.model import DeviceId, FileName, Message, RoomId, SessionId, Sha256
from contract.result import RoomResult
from contract.session import Policy, Role

MANIFEST = "manifest.json"
TIMELINE = "timeline.jsonl"
QUALITY = "quality.jsonl"


class FileEntry(Message):
    """One file as it was when the package was sealed."""

    name: FileName
    bytes: int = Field(ge=0)
    sha256: Sha256


class Part(Message):
    """One file of one track. Parts are never overwritten; the manifest joins them."""

    track: str
    file: FileName
    index: int = Field(ge=0)
    boot: str
    start_mono_ns: int = Field(description="Capture time of the file's time zero, on the device's monotonic clock.")
    start_t: float = Field(description="The same in session time, in seconds.")
    width: int = 0
    height: int = 0
    fps: float = 0.0
    sound: bool = False
    seconds: float = 0.0
    video_frames: int = 0
    audio_seconds: float = 0.0
    dropped_frames: int = Field(0, description="Frames that the writer could not take.")
    closed: Literal["open", "end", "crash", "disk-full", "source-lost"] = "open"


class Gap(Message):
    """A stretch of session time that a track does not hold."""

    track: str
    start_t: float
    end_t: float
    why: str


class Manifest(Message):
    """What one room kept of one session. Written as a draft at each new part, sealed once at the end."""

    version: Literal[1] = 1
    session: SessionId
    room: RoomId
    role: Role
    device: DeviceId
    name: str = ""
    title: str = ""
    epoch: float
    seconds: float = Field(description="Length of the session as ordered, in seconds.")
    policy: Policy
    sealed: bool = False
    parts: tuple[Part, ...] = ()
    gaps: tuple[Gap, ...] = ()
    clock: ClockRecord
    versions: dict[str, str] = Field(default_factory=dict)
    files: tuple[FileEntry, ...] = Field((), description="Every file of the package but the manifest.")
    result: RoomResult | None = None


class Receipt(Message):
    """The hub holds these files with these hashes. Travels as the body of an envelope signed by the hub."""

    session: SessionId
    room: RoomId
    device: DeviceId
    stored: float = Field(description="When the hub had stored the last of them, in seconds of hub UTC.")
    files: tuple[FileEntry, ...] = Field(description="Every file of the package, the manifest included.")
