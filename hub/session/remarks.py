"""What a person should know about a session or room: as a reason that any language can tell, and in English."""

from collections.abc import Mapping
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from contract.state import SessionState


class Reason(StrEnum):
    """Why something is said."""

    CALLED_OFF = "called_off"
    ROOM_FAILED = "room_failed"
    """The room itself said that it failed."""
    ROOM_UNHEARD = "room_unheard"
    """The room never spoke during the lesson, nor in time after it."""
    ROOM_LOST = "room_lost"
    """The room spoke, and then no more."""
    ROOM_RETURNING = "room_returning"
    """The lead room was live and was started anew."""
    ROOM_NOT_BEGUN = "room_not_begun"
    """The lesson's time runs, and the lead room is not live."""


ENGLISH: Mapping[Reason, str] = {
    Reason.CALLED_OFF: "called off",
    Reason.ROOM_FAILED: "{words}",
    Reason.ROOM_UNHEARD: "was not heard from during the lesson; see whether its device runs",
    Reason.ROOM_LOST: "was last heard from when it was {state}; see whether its device runs",
    Reason.ROOM_RETURNING: "is coming back",
    Reason.ROOM_NOT_BEGUN: "has not begun; see whether its device runs",
}
FAILURES = frozenset({Reason.ROOM_FAILED, Reason.ROOM_UNHEARD, Reason.ROOM_LOST})


class Remark(BaseModel):
    """One thing to know."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reason: Reason
    room: str = Field("", description="What people call the room; empty where it is about the whole session.")
    state: SessionState | None = Field(None, description="With `room_lost`: the state in which it was last heard.")
    words: str = Field("", description="With `room_failed`: what the room said, if it said anything.")

    @property
    def about_room(self) -> str:
        """In English, where the room's name stands beside it; empty where the room gave no reason."""
        return ENGLISH[self.reason].format(words=self.words, state=self.state)

    def __str__(self) -> str:
        """In English, with the room's name."""
        if self.reason in FAILURES:
            return f"{self.room} failed: {self.about_room or 'no reason was given'}"
        return f"{self.room} {self.about_room}".strip()
