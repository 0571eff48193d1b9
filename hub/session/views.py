"""What is asked of the conductor and what it shows: the shapes of the HTTP API and the console."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

from contract.model import RoomId, SessionId
from contract.result import RoomResult
from contract.session import IceServer, Mode, Policy, Role
from contract.state import SessionState
from contract.timetable import TimetableSlot
from hub.fleet.signs import RoomReadiness
from hub.session.insight import LessonInsight
from hub.session.remarks import Remark

Width = Annotated[int, Field(ge=160, le=3840, multiple_of=2)]
Height = Annotated[int, Field(ge=90, le=2160, multiple_of=2)]


class View(BaseModel):
    """Base of what is shown: written by us, so nothing unknown is in it."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class NewRoom(View):
    """One room of a session to be made."""

    room: RoomId
    role: Role
    period: int | None = Field(
        None, ge=1, le=20, description="Period in the bells of its school, where it is another than the lead room's."
    )


class NewSession(View):
    """A session to be made."""

    title: str = Field("", max_length=200)
    timetable: TimetableSlot | None = Field(
        None, description="Where it stands in the timetable of the lead room's school; none for a session by hand."
    )
    mode: Mode = Mode.DELIVERY
    start: Literal["now"] | FiniteFloat = Field("now", description="`now`, or the planned start in seconds of UTC.")
    lead_s: float | None = Field(
        None, ge=0, le=120, description="With `now`: seconds until session time zero, so that devices can open."
    )
    seconds: float = Field(gt=0, le=86_400, description="Planned length, in seconds.")
    rooms: tuple[NewRoom, ...] = Field(
        min_length=1, max_length=200, description="In an open class the lead room may be alone; else two at the least."
    )
    policy: Policy = Field(Policy(), description="What may be done with what happens in the rooms; all off by default.")
    ice_servers: tuple[IceServer, ...] = ()
    video: tuple[Width, Height] = Field(
        (1280, 720), description="Width and height of the camera track, in pixels; even numbers, as H.264 wants them."
    )
    video_bps: int = Field(
        2_000_000, ge=100_000, le=50_000_000, description="Bitrate of the recorded camera track, in bit/s."
    )
    fps: int = Field(25, ge=5, le=60)


class RoomView(View):
    """Where one room stands in a session."""

    room: RoomId
    name: str
    school: str
    role: Role
    watching: bool = Field(False, description="Teachers watch a master class there: nothing of it is sent or kept.")
    device: str
    online: bool
    state: SessionState = Field(description="As reported, or `failed` where the room was not heard from in time.")
    words: str = Field(description="What the room said, or why it counts as failed, in English.")
    remark: Remark | None = Field(None, description="Why it counts as failed, to be told in any language.")
    held: bool = Field(description="Whether the device is known to hold the newest order.")
    readiness: RoomReadiness | None = Field(
        None, description="What is expected of the room, from ten minutes before the lesson until its end."
    )
    result: RoomResult | None = None
    receipt: bool = Field(description="Whether the hub has given a receipt for the room's package.")


class SessionView(View):
    """Where a session stands."""

    session: SessionId
    rev: int
    title: str
    timetable: TimetableSlot | None = Field(
        None, description="Week, weekday and period, as the lead room's school counts; null where no plan made it."
    )
    mode: Mode
    state: SessionState
    words: str = Field(description="What a person should know, in English; empty where all is well.")
    remarks: tuple[Remark, ...] = Field((), description="The same, to be told in any language.")
    epoch: float = Field(description="Session time zero, in seconds of hub UTC.")
    seconds: float
    now_t: float = Field(description="Session time now, in seconds; negative before the start.")
    policy: Policy
    insight: LessonInsight | None = Field(
        None, description="While the lesson runs: what the lead room said last of how it goes."
    )
    rooms: tuple[RoomView, ...]
