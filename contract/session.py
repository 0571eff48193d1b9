"""What the hub orders of a room: one session, described whole, with a revision that only grows.

An order is a description, not a step: repeating it does no harm, a newer revision
replaces an older one, ending early is a shorter `seconds`, calling off is `cancelled`.
Agents keep the signed envelope, so recording starts on time with the hub away.
"""

from collections.abc import Sequence
from enum import StrEnum

from pydantic import Field, model_validator

from contract.material import MOST_MATERIALS, Material
from contract.model import DeviceId, Message, RoomId, SessionId
from contract.timetable import TimetableSlot


class Role(StrEnum):
    """What a room does in a session."""

    LEAD = "lead"
    """主讲教室: the lesson is taught from here."""
    RECEIVING = "receiving"
    """听课教室: the far class sits here with its own teacher."""


class Mode(StrEnum):
    """The three modes of class."""

    DELIVERY = "delivery"
    """专递课堂: one lead class to many rooms."""
    MASTER = "master"
    """名师课堂: teachers watch and research; the rooms that receive it open no camera and no microphone."""
    OPEN = "open"
    """名校网络课堂: on demand; its lead room may be alone, and records the lesson for whoever watches it later."""


class Policy(Message):
    """What may be done with what happens in the room. All off until the school says otherwise."""

    record: bool = Field(False, description="Keep sound and pictures in a lesson package.")
    observe: bool = Field(False, description="Run on-device analytics, at class level.")
    upload: bool = Field(False, description="Send the lesson package to the hub.")
    watch: bool = Field(False, description="Let observers watch live; nothing asks for it yet.")
    delete_after_days: float | None = Field(
        None, gt=0, description="Delete the lesson package this many days after the lesson; none keeps it."
    )


class RoomOrder(Message):
    """One room in a session."""

    room: RoomId
    device: DeviceId
    role: Role
    name: str = Field("", description="Name shown to people.")
    school: str = ""
    period: int | None = Field(
        None,
        ge=1,
        le=20,
        description="Period in the bells of its own school, where it is another than the lead room's.",
    )


class IceServer(Message):
    """A STUN or TURN server on the school network. No public one, ever."""

    urls: str
    username: str | None = None
    credential: str | None = None


class SessionOrder(Message):
    """One session as every room in it must hold it."""

    session: SessionId
    rev: int = Field(ge=1, description="Revision; only grows.")
    epoch: float = Field(description="Session time zero, in seconds of hub UTC; the planned start.")
    seconds: float = Field(gt=0, description="Planned length, in seconds; shortened to end early.")
    mode: Mode = Mode.DELIVERY
    title: str = ""
    timetable: TimetableSlot | None = Field(
        None, description="Week, weekday and period, as the lead room's school counts; none where no plan made it."
    )
    rooms: tuple[RoomOrder, ...] = Field(
        min_length=1,
        description="One lead room and those that receive it; in an open class the lead room may be alone.",
    )
    policy: Policy = Policy()
    ice_servers: tuple[IceServer, ...] = ()
    video: tuple[int, int] = Field((1280, 720), description="Width and height of the camera track, in pixels.")
    video_bps: int = Field(2_000_000, ge=100_000, description="Bitrate of the recorded camera track, in bit/s.")
    fps: int = Field(25, ge=5, le=60)
    materials: tuple[Material, ...] = Field(
        (), max_length=MOST_MATERIALS, description="Files that every room fetches before the session begins."
    )
    cancelled: bool = False

    @model_validator(mode="after")
    def _has_its_roles(self) -> "SessionOrder":
        wrong = roles_wrong(self.mode, [one.role for one in self.rooms])
        if wrong:
            raise ValueError(wrong)
        return self

    @property
    def ends(self) -> float:
        """End of the session, in seconds of hub UTC."""
        return self.epoch + self.seconds

    @property
    def lead(self) -> RoomOrder:
        """The lead room."""
        return next(room for room in self.rooms if room.role is Role.LEAD)

    @property
    def alone(self) -> bool:
        """Whether the lead room has the session to itself: nobody is joined, waited for or missed."""
        return len(self.rooms) == 1

    @property
    def classrooms(self) -> tuple[RoomOrder, ...]:
        """The rooms of which something may be kept and measured: all but those in which teachers watch."""
        return tuple(room for room in self.rooms if not self.watches(room))

    def watches(self, room: RoomOrder) -> bool:
        """Whether teachers watch there and no class sits there: nothing of that room is sent, kept or measured."""
        return self.mode is Mode.MASTER and room.role is Role.RECEIVING

    def slot_in(self, room: RoomOrder) -> TimetableSlot | None:
        """Where it stands in the timetable of one of its rooms."""
        if self.timetable is None or room.period is None:
            return self.timetable
        return self.timetable.model_copy(update={"period": room.period})

    def room_of(self, device: str) -> RoomOrder | None:
        """The room in which `device` stands, or None where it has no part in this session."""
        return next((room for room in self.rooms if room.device == device), None)


def roles_wrong(mode: Mode, roles: Sequence[Role]) -> str:
    """Why rooms in these roles make no session of this mode, in words; empty where they do."""
    leads = roles.count(Role.LEAD)
    if leads != 1:
        return f"a session has exactly one lead room, and not {leads}"
    if len(roles) == 1 and mode is not Mode.OPEN:
        return f"a session of mode {mode} has a receiving room beside its lead room; alone it is of mode {Mode.OPEN}"
    return ""
