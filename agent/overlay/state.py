"""What the teacher's screen is told: the whole state, each time something in it changes."""

from typing import Literal

from pydantic import Field

from contract.model import Message


class PeerState(Message):
    """One counterpart room."""

    room: str
    name: str = ""
    state: str = Field(description="Where it stands in the session (`contract.state.SessionState`).")
    connected: bool = Field(False, description="Whether its picture and sound arrive here.")


class OverlayState(Message):
    """Everything the overlay shows. Words come in both languages; the screen chooses."""

    v: int = 1
    session: str | None = None
    title: str = ""
    state: str = Field("", description="Where this room stands; empty without a session.")
    words_zh: str = ""
    words_en: str = ""
    recording: bool = False
    hub: Literal["connected", "away"] = "away"
    hub_since: float = Field(0.0, description="Since when, in seconds of this machine's wall clock.")
    rung: str = Field("", description="Rung of the ladder the lesson stands on when the network worsens.")
    peers: tuple[PeerState, ...] = ()
