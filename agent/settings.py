"""The agent's settings: one TOML file, every key with its meaning and its bounds."""

from pathlib import Path
from typing import Literal, TypeVar

from pydantic import Field

from agent.area import AREAS_MAX, Area, Opposite
from contract.model import DeviceId, RoomId
from contract.settings import Settings, load
from contract.twin import (
    HEALTH_MAX_S,
    BitrateBps,
    FrameRate,
    Height,
    KeepaliveS,
    PeopleHz,
    SlidesHz,
    UploadBps,
    Width,
)

T = TypeVar("T", bound=Settings)


class AgentTable(Settings):
    """Who this machine is and where it keeps things."""

    state: Path = Field(
        Path("/var/lib/tongtang"), title="State folder", description="Keys, orders, outboxes and lesson packages."
    )
    device: DeviceId | None = Field(
        None, title="Device", description="Identifier of this device; only to enrol with a token: a code knows it."
    )
    room: RoomId | None = Field(None, title="Room", description="Identifier of the room it stands in; as above.")
    name: str = Field("", title="Name", description="Name of the room as people know it; as above.")
    school: str = Field("", title="School", description="School the room belongs to; as above.")


class HubTable(Settings):
    """Where the district's hub is."""

    url: str = Field(
        "http://127.0.0.1:8080", title="Hub", description="Address of the hub's HTTP side.", pattern=r"^https?://\S+$"
    )
    ca: Path | None = Field(
        None,
        title="Authority",
        description="PEM file of the authority that signed the hub's certificate; unset: those this system knows.",
    )
    mqtt_host: str = Field("", title="Broker", description="Host of the broker; empty: as the hub said at enrolment.")
    mqtt_port: int = Field(0, ge=0, le=65535, title="Broker's port", description="0: as the hub said at enrolment.")
    keepalive_s: KeepaliveS = Field(
        15,
        title="Keep-alive",
        description="A dead connection to the broker is noticed within one and a half times so many seconds.",
    )
    retry_cap_s: float = Field(
        60.0,
        gt=0,
        le=600,
        title="Longest wait",
        description="Longest wait between two attempts to connect, in s; shorter while a lesson is near.",
    )


class SourcesTable(Settings):
    """What the room is seen and heard with."""

    source: str = Field(
        "rehearsal",
        min_length=1,
        title="Source",
        description="`rehearsal`, `camera:0`, `screen:0`, `file:PATH` or `rtsp://...`; sound after a plus.",
    )
    loudspeaker: str = Field(
        "default",
        title="Loudspeaker",
        description="Where the other rooms are heard: `default`, a part of a device's name, or `none`.",
    )
    seed: int = Field(0, ge=0, title="Seed", description="Chooses the pages and movements of the rehearsal lesson.")


class VideoTable(Settings):
    """Picture sent and recorded where an order does not say otherwise, and what this machine carries."""

    width_max: Width = Field(1920, title="Width", description="Widest picture encoded here, in pixels.")
    height_max: Height = Field(1080, title="Height", description="Highest picture, in pixels.")
    fps_max: FrameRate = Field(30, title="Frame rate", description="Most frames encoded in a second.")
    bitrate_max: BitrateBps = Field(6_000_000, title="Bitrate", description="Most bit/s a track.")


class MasksTable(Settings):
    """Parts of the picture that nobody sees: they are black before the picture is encoded, recorded or observed."""

    camera: tuple[Area, ...] = Field(
        (),
        max_length=AREAS_MAX,
        title="Camera",
        description="Areas of the camera's picture. Each is a list of corners `[x, y]` from 0 to 1, right and down: "
        "two opposite ones of a rectangle, or three and more of a polygon, in order.",
    )
    slides: tuple[Area, ...] = Field(
        (), max_length=AREAS_MAX, title="Slides", description="The same for the picture of the slides."
    )
    drawn_on: tuple[Width, Height] = Field(
        (1280, 720),
        title="Drawn on",
        description="Width and height of the camera's picture that its areas were drawn on. One of another shape is "
        "withheld, because they would lie elsewhere.",
    )
    faces: Literal["off", "blur"] = Field(
        "off",
        title="Faces",
        description="`blur`: whatever may be a face in the camera's picture is behind frosted glass; the whole "
        "picture is, while faces cannot be looked for. Not every face is found (docs/privacy.md).",
    )
    clear: tuple[Area, ...] = Field(
        (),
        max_length=AREAS_MAX,
        title="Clear",
        description="Areas of the camera's picture that are never blurred, such as the place of a teacher who agrees "
        "to be seen.",
    )


class MediaTable(Settings):
    """How sound and pictures travel to the other rooms."""

    addresses: tuple[str, ...] = Field(
        (), title="Addresses", description="The only addresses to offer to other rooms; empty: all of this machine."
    )


class ObserveTable(Settings):
    """On-device analytics; what the session's policy does not allow never runs."""

    enabled: bool = Field(True, title="Observe", description="Run analytics where the policy of the session allows.")
    people_hz: PeopleHz = Field(2.0, title="People", description="Counts of people in a second.")
    board_hz: PeopleHz = Field(
        1.0, title="Looks at the board", description="Looks in a second at the board and for people from behind."
    )
    slides_hz: SlidesHz = Field(2.0, title="Slides", description="Looks at the slides in a second.")
    cpu_share: float = Field(
        0.25,
        ge=0.02,
        le=1,
        title="Processor time",
        description="Of one core, over a minute; where it takes more, it looks less often by itself and says so.",
    )
    face_model: Path | None = Field(
        None,
        title="Face model",
        description="A file of YuNet (such as face_detection_yunet_2023mar.onnx), a faster detector of faces that no "
        "package ships; left out or unusable: CenterFace.",
    )
    recogniser: Path | None = Field(
        None,
        title="Recogniser",
        description="Manifest (TOML) of a recogniser of speech of your own, for the words of the teacher's voice; left "
        "out: no words.",
    )
    slide_text: bool = Field(
        True,
        title="Words of slides",
        description="Read title and text of each slide into the timeline; slides that show names have them there too.",
    )
    teacher_microphone: str = Field(
        "",
        title="Teacher's microphone",
        description="What the teacher wears: `mic:NAME`, or `file:PATH` to try it out. It tells teacher from pupils "
        "and is neither sent nor recorded. Empty: the voice that speaks most is the teacher's.",
        pattern=r"^$|^\s*(?i:mic:|file:.)",
    )
    seats: Opposite = Field(
        ((0.0, 0.0), (1.0, 1.0)),
        title="Seats",
        description="Where pupils sit in the camera's picture: two opposite corners `[x, y]` from 0 to 1.",
    )
    board: Opposite | None = Field(
        None,
        title="Board",
        description="The same of where somebody at the board stands, from the head to about the hips. None: this "
        "camera sees no board, and it is not followed.",
    )


class RecordTable(Settings):
    """Lesson packages on this machine's disk."""

    min_free_bytes: int = Field(
        2_000_000_000, ge=0, title="Free space", description="Recording ends cleanly before less than this is free."
    )
    keep_uploaded: bool = Field(
        False, title="Keep", description="Whether a package stays here after the hub's receipt, until it expires."
    )
    upload_bps: UploadBps = Field(
        0, title="Upload", description="Most bit/s an upload may take; 0: as much as there is."
    )


class ModelsTable(Settings):
    """On-device models."""

    folder: Path | None = Field(None, title="Models", description="Where `tongtang models install` put them.")


class OverlayTable(Settings):
    """The teacher's screen."""

    socket: Path | None = Field(None, title="Socket", description="Local socket; default: overlay.sock in the state.")
    token: Path | None = Field(None, title="Token", description="File with its token; default: overlay.token there.")


class ReportTable(Settings):
    """Telemetry and events on their way to the hub."""

    health_s: float = Field(
        5.0, gt=0, le=HEALTH_MAX_S, title="Health", description="Seconds between two health samples."
    )
    telemetry_cap_bytes: int = Field(
        64 << 20,
        ge=1 << 16,
        title="Telemetry kept",
        description="Most bytes of rows, for a hub that is away or restored; oldest go first.",
    )
    event_cap_bytes: int = Field(64 << 20, ge=1 << 16, title="Events kept", description="The same for events.")
    drain_s: float = Field(5.0, ge=0, le=60, title="Drain", description="Longest wait for the hub at the end, in s.")
    ledger: bool = Field(False, title="Ledger", description="Write down each row's id, to count losses from outside.")


class AgentSettings(Settings):
    """`agent.toml`."""

    agent: AgentTable = AgentTable()
    hub: HubTable = HubTable()
    sources: SourcesTable = SourcesTable()
    video: VideoTable = VideoTable()
    masks: MasksTable = MasksTable()
    media: MediaTable = MediaTable()
    observe: ObserveTable = ObserveTable()
    record: RecordTable = RecordTable()
    models: ModelsTable = ModelsTable()
    overlay: OverlayTable = OverlayTable()
    report: ReportTable = ReportTable()

    @property
    def state(self) -> Path:
        """The state folder."""
        return self.agent.state

    @property
    def overlay_socket(self) -> Path:
        """Where the teacher's screen connects."""
        return self.overlay.socket or self.state / "overlay.sock"

    @property
    def overlay_token(self) -> Path:
        """The file whose text the teacher's screen must show."""
        return self.overlay.token or self.state / "overlay.token"


def load_settings(path: Path) -> AgentSettings:
    """Read `agent.toml`; relative paths in it are relative to its folder.

    Raises:
        contract.settings.SettingsRefused: it cannot be used; one line for each thing to mend.
    """
    settings = load(path, AgentSettings)
    base = path.resolve().parent
    return settings.model_copy(
        update={
            "agent": _rooted(settings.agent, base, "state"),
            "hub": _rooted(settings.hub, base, "ca"),
            "models": _rooted(settings.models, base, "folder"),
            "overlay": _rooted(_rooted(settings.overlay, base, "socket"), base, "token"),
        }
    )


def _rooted(table: T, base: Path, key: str) -> T:
    path: Path | None = getattr(table, key)
    return table if path is None else table.model_copy(update={key: base / path.expanduser()})
