"""What the teacher's screen is told: the whole state, each time something in it changes."""

from typing import Literal

from pydantic import Field

from agent.overlay.insight import InsightState
from contract.model import Message


class PeerState(Message):
    """One counterpart room."""

    room: str
    name: str = ""
    state: str = Field(description="Where it stands in the session (`contract.state.SessionState`).")
    connected: bool = Field(False, description="Whether its picture and sound arrive here.")
    rung: str = Field("", description="Rung of the failure ladder with this room; empty where it is not known.")
    words_zh: str = Field("", description="What this rung means for the teacher.")
    words_en: str = ""


class MaterialState(Message):
    """One file of the lesson: with it the local teacher can go on alone."""

    name: str
    path: str = Field("", description="Where it lies on this machine; empty while it is not here.")


class OverlayState(Message):
    """Everything the overlay shows. Words come in both languages; the screen chooses."""

    v: int = 1
    session: str | None = None
    title: str = ""
    when_zh: str = Field(
        "", description="Week, weekday and period as this room's school counts; empty where no plan made the lesson."
    )
    when_en: str = ""
    state: str = Field("", description="Where this room stands; empty without a session.")
    words_zh: str = ""
    words_en: str = ""
    recording: bool = False
    hub: Literal["connected", "away"] = "away"
    hub_since: float = Field(0.0, description="Since when, in seconds of this machine's wall clock.")
    rung: str = Field(
        "",
        description="Rung of the failure ladder on which the lesson stands with all rooms together: `both`, `one-way`, "
        "`sound`, `alone`; empty without one.",
    )
    rung_zh: str = Field("", description="Its name.")
    rung_en: str = ""
    rung_since: float = Field(0.0, description="Since when, in seconds of this machine's wall clock.")
    peers: tuple[PeerState, ...] = ()
    insight: InsightState | None = Field(
        None, description="How the lesson went lately, anew every 10 s; null before that, and where it is not observed."
    )
    materials: tuple[MaterialState, ...] = Field((), description="Files of the lesson, in the order of the teacher.")
    marks: int = Field(0, description="Marks set in this lesson: one more says that a mark was taken.")
    notice_zh: str = Field("", description="Shown large for a while, over everything else; empty without one.")
    notice_en: str = ""
