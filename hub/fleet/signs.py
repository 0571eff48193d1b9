"""What can be said of a device and of a room before its lesson: a reason for any language, and in English."""

from collections.abc import Mapping
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field


class Sign(StrEnum):
    """One thing to know of a device."""

    AWAY = "away"
    """It is not connected."""
    UNHEARD = "unheard"
    """It is connected and has not told its health yet."""
    STALE = "stale"
    """It is connected and has told nothing of its health for a while."""
    DISK_FULL = "disk_full"
    """Nothing can be recorded: what is free is what recording leaves free."""
    DISK_LOW = "disk_low"
    """Room for less than a day of lessons."""
    CAMERA_MISSING = "camera_missing"
    """The system does not list the camera that the room's source names."""
    MICROPHONE_MISSING = "microphone_missing"
    """The system lists no microphone, and the room's source names one."""
    MEMORY_LOW = "memory_low"
    """So little memory is left that the system may end a program."""
    HOT = "hot"
    """So hot that the machine will slow itself down."""
    CLOCK_WRONG = "clock_wrong"
    """The wall clock is wrong; lessons follow the hub's, but certificates and people follow the wall clock."""
    ROWS_WAIT = "rows_wait"
    """Rows wait for the hub although the device is connected."""
    ROWS_DROPPED = "rows_dropped"
    """Rows were given up: the disk was full, or the hub away for longer than the outbox holds."""
    CERTIFICATE_ENDS = "certificate_ends"
    """The certificate ends soon: it should have been renewed by itself."""
    CERTIFICATE_ENDED = "certificate_ended"
    """The certificate has ended: the next connection will be refused."""
    RESTARTS = "restarts"
    """The agent was killed or crashed, and was started again and again."""
    STATE_LOST = "state_lost"
    """Something of its state was gone when the agent started."""
    PROBES_FAIL = "probes_fail"
    """Some of its probes fail or hang, so that something is not known."""
    ORDER_NOT_HELD = "order_not_held"
    """The device is not known to hold the newest order of the session."""
    MATERIALS_MISSING = "materials_missing"
    """It does not hold every file of the session yet."""
    ROOM_FAILED = "room_failed"
    """The room itself said that it cannot hold the lesson."""
    ROOM_SAYS = "room_says"
    """The room said what it lacks when it opened its devices."""
    HUB_STARTED = "hub_started"
    """The hub has just started and has not heard from the device yet."""


ENGLISH: Mapping[Sign, str] = {
    Sign.AWAY: "is not connected; look at its power and network",
    Sign.UNHEARD: "has not told its health yet",
    Sign.STALE: "has not told its health for {minutes} min, though it is connected; restart its agent",
    Sign.DISK_FULL: "its disk is full ({free_mib} MiB free): nothing will be recorded; free some space",
    Sign.DISK_LOW: "its disk has {free_mib} MiB left, less than a day of lessons; free some space",
    Sign.CAMERA_MISSING: "its camera is not there; look at its cable",
    Sign.MICROPHONE_MISSING: "no microphone is there; look at its cable",
    Sign.MEMORY_LOW: "only {free_mib} MiB of memory are left; close other programs",
    Sign.HOT: "it is {degrees} degrees hot; see that air reaches it",
    Sign.CLOCK_WRONG: "its clock is {seconds} s off; let it follow a time server",
    Sign.ROWS_WAIT: "{rows} rows have waited for the hub for up to {minutes} min",
    Sign.ROWS_DROPPED: "{rows} rows were given up; the hub was away for long, or the disk was full",
    Sign.CERTIFICATE_ENDS: "its certificate ends in {days} days and was not renewed; see the agent's log",
    Sign.CERTIFICATE_ENDED: "its certificate has ended; it may still renew it, else enrol it again",
    Sign.RESTARTS: "its agent was started {times} times in a day ({why}); see its log",
    Sign.STATE_LOST: "lost some of its state: {words}",
    Sign.PROBES_FAIL: "does not know all of its health: {words}",
    Sign.ORDER_NOT_HELD: "has not got the newest order yet",
    Sign.MATERIALS_MISSING: "has not got these materials yet: {words}; look at its link and its disk",
    Sign.ROOM_FAILED: "says that it cannot hold the lesson: {words}",
    Sign.ROOM_SAYS: "says: {words}",
    Sign.HUB_STARTED: "has not been heard since the hub started",
}

RISKY = frozenset(
    {
        Sign.UNHEARD,
        Sign.STALE,
        Sign.DISK_FULL,
        Sign.CAMERA_MISSING,
        Sign.MICROPHONE_MISSING,
        Sign.MEMORY_LOW,
        Sign.CERTIFICATE_ENDED,
        Sign.ORDER_NOT_HELD,
        Sign.MATERIALS_MISSING,
        Sign.ROOM_SAYS,
        Sign.HUB_STARTED,
    }
)
"""What puts a lesson at risk; the rest is for the workshop."""
UNUSED_WATCHING = frozenset({Sign.DISK_FULL, Sign.CAMERA_MISSING, Sign.MICROPHONE_MISSING})
"""What costs nothing where teachers watch a master class: nothing is opened or kept there."""


class HealthRemark(BaseModel):
    """One thing to know, with its figures."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sign: Sign
    values: dict[str, int | str] = Field(default_factory=dict, description="What stands in the sentence.")

    def __str__(self) -> str:
        """In English, to stand after the room's or the device's name."""
        return ENGLISH[self.sign].format(**self.values)


class HealthState(StrEnum):
    """How a device is."""

    OK = "ok"
    """Connected, and nothing to remark."""
    DEGRADED = "degraded"
    """Connected, and something to remark."""
    DOWN = "down"
    """Not connected."""
    UNKNOWN = "unknown"
    """Connected, and its health was never told, or too long ago."""


class Standing(StrEnum):
    """Whether a room can hold its next lesson."""

    READY = "ready"
    """Nothing speaks against it."""
    AT_RISK = "at-risk"
    """Something may keep it, or a part of it, from the lesson."""
    MISSING = "missing"
    """As it is now, it will miss the lesson."""


class RoomReadiness(BaseModel):
    """What is expected of a room at its next lesson."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    standing: Standing
    remarks: tuple[HealthRemark, ...] = Field((), description="Why, to be told in any language.")
    words: str = Field("", description="Why, in English; empty where the room is ready.")
