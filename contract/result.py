"""What one room sent, received, kept and observed in one session; the figures of `summary.json`."""

from pydantic import Field

from contract.model import FileName, Message, RoomId, Sha256


class Latency(Message):
    """Capture to decoded picture, in milliseconds."""

    p50: float
    p95: float
    error: float = Field(description="Bound of the error of the clock map between the rooms.")


class ReceivedFrom(Message):
    """What came from one counterpart."""

    sender: RoomId = Field(alias="from")
    video_frames: int = Field(description="Camera frames decoded in session time.")
    audio_seconds: float
    latency_ms: Latency | None
    join_ms: float | None = Field(description="Offer to first decoded picture, of the last join.")
    joins: int = 1
    rung: str = Field(
        "",
        max_length=20,
        description="Rung of the failure ladder on which the two rooms stand now: `both`, `one-way`, `sound`, `alone`; "
        "empty where it is not known or the lesson is over.",
    )


class Recording(Message):
    """One recorded track over all its parts."""

    track: str
    file: FileName = Field(description="The first part.")
    parts: int
    seconds: float
    video_frames: int
    audio_seconds: float
    dropped_frames: int = 0
    sha256: Sha256 = Field(description="Of the first part.")


class PeopleCount(Message):
    """Median number of people, or unknown."""

    median: float | None = None
    known: bool = False


class TimelineSummary(Message):
    """The room's timeline in a few figures."""

    observations: int = 0
    speech_seconds: float | None = Field(
        None, description="Seconds of speech in the room's sound; None where it was not measured."
    )
    talk_share: float | None = Field(
        None,
        description="Share of the voice that speaks most, the teacher's, in all talk of the room's own sound; "
        "None where less than 80 % of the time is known, or nobody spoke.",
    )
    people: PeopleCount = PeopleCount()
    slides: int = 0


class RoomResult(Message):
    """One room's account of one session."""

    video_frames_sent: int = 0
    received: tuple[ReceivedFrom, ...] = ()
    recording: tuple[Recording, ...] = ()
    timeline: TimelineSummary = TimelineSummary()
    cpu_seconds: float = 0.0
    words: tuple[str, ...] = Field((), description="What went less well, a sentence each.")
