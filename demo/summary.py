"""`summary.json`, and the judgement whether the lesson was whole."""

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.main import IncEx

from contract.result import ReceivedFrom, Recording, RoomResult, TimelineSummary

LENGTH_TOLERANCE_S = 0.5
"""A recording may miss this much of the lesson at its ends, in seconds."""
RECEIVED_SHARE = 0.8
"""Below this share of what was sent a room did not really see its counterpart; the same of the sound."""


NOT_TOLD: IncEx = {
    "rooms": {"__all__": {"received": {"__all__": {"joins", "rung"}}, "recording": {"__all__": {"dropped_frames"}}}}
}
"""What rooms tell the hub beyond the file's fixed form; `judge` looks at it, the file does not hold it."""


class RoomSummary(BaseModel):
    """One room."""

    model_config = ConfigDict(populate_by_name=True)

    room: str
    role: str
    package: str
    video_frames_sent: int
    received: tuple[ReceivedFrom, ...]
    recording: tuple[Recording, ...]
    receipt: bool
    cpu_seconds: float


class TelemetrySummary(BaseModel):
    """What the producers wrote down, and what the hub has of it."""

    produced: int
    stored: int
    lost: int
    duplicated: int


class HubSummary(BaseModel):
    """Where the hub was."""

    url: str


class Summary(BaseModel):
    """The file that `tongtang demo` writes. Its form is fixed by the design."""

    version: int = 1
    session: str
    seconds: float
    rooms: tuple[RoomSummary, ...]
    telemetry: TelemetrySummary
    timeline: TimelineSummary
    hub: HubSummary

    def write(self, path: Path) -> None:
        """Write the file."""
        path.write_text(self.model_dump_json(by_alias=True, indent=1, exclude=NOT_TOLD) + "\n", encoding="utf-8")


class Judgement(BaseModel):
    """Whether the lesson was whole, and what was missing."""

    whole: bool
    missing: tuple[str, ...] = Field(description="A sentence for each thing that was missing.")


def count_telemetry(produced: list[str], stored: list[str]) -> TelemetrySummary:
    """Compare the producers' own ids with those the hub stored; an id may come more than once on either side."""
    have = set(stored)
    return TelemetrySummary(
        produced=len(produced),
        stored=len(stored),
        lost=sum(one not in have for one in produced),
        duplicated=len(stored) - len(have),
    )


def room_summary(view: dict[str, Any], package: Path) -> RoomSummary:
    """One room as the hub's session view tells it."""
    result = RoomResult.model_validate(view.get("result") or {})
    return RoomSummary(
        room=view["room"],
        role=view["role"],
        package=str(package),
        video_frames_sent=result.video_frames_sent,
        received=result.received,
        recording=result.recording,
        receipt=bool(view["receipt"]),
        cpu_seconds=result.cpu_seconds,
    )


def judge(summary: Summary) -> Judgement:
    """Whether every room received and kept the whole lesson, and nothing was lost on the way to the hub."""
    missing: list[str] = []
    for room in summary.rooms:
        others = [one for one in summary.rooms if one is not room and (room.role == "lead" or one.role == "lead")]
        missing += _not_received(room, others, summary.seconds)
        missing += _not_recorded(room, summary.seconds)
        if not room.receipt:
            missing.append(f"{room.room}: no receipt for the lesson package came")
    if summary.telemetry.lost:
        missing.append(f"{summary.telemetry.lost} telemetry rows were lost")
    if summary.telemetry.duplicated:
        missing.append(f"{summary.telemetry.duplicated} telemetry rows were stored twice")
    return Judgement(whole=not missing, missing=tuple(missing))


def _not_received(room: RoomSummary, others: list[RoomSummary], seconds: float) -> list[str]:
    missing = []
    for other in others:
        found = next((one for one in room.received if one.sender == other.room), None)
        frames = found.video_frames if found else 0
        heard_s = found.audio_seconds if found else 0.0
        if not other.video_frames_sent or frames < other.video_frames_sent * RECEIVED_SHARE:
            missing.append(f"{room.room}: {frames} of {other.video_frames_sent} pictures came from {other.room}")
        if heard_s < seconds * RECEIVED_SHARE:
            missing.append(f"{room.room}: {heard_s:.1f} s of {seconds:.1f} s of sound came from {other.room}")
    return missing


def _not_recorded(room: RoomSummary, seconds: float) -> list[str]:
    tracks = {one.track: one for one in room.recording}
    wanted = ["camera", "slides"] if room.role == "lead" else ["camera"]
    missing = []
    for track in wanted:
        kept = tracks.get(track)
        if kept is None:
            missing.append(f"{room.room}: no recording of {track}")
            continue
        if kept.seconds < seconds - LENGTH_TOLERANCE_S:
            missing.append(f"{room.room}: the recording of {track} is {kept.seconds:.1f} s of {seconds:.1f} s long")
        if kept.dropped_frames:
            missing.append(f"{room.room}: {kept.dropped_frames} frames of {track} were not recorded")
        if track == "camera" and kept.audio_seconds < seconds - LENGTH_TOLERANCE_S:
            missing.append(f"{room.room}: {kept.audio_seconds:.1f} s of {seconds:.1f} s of sound were recorded")
    return missing
