"""What a player needs to show a finished lesson: every room's tracks, placed in session time."""

import logging
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path

from pydantic import Field, ValidationError

from contract.model import FileName, Message, RoomId, SessionId
from contract.observation import Observation
from contract.package import TIMELINE, FileEntry, Gap, Manifest, Part
from contract.session import Role
from hub.archive.store import Deletion, PackageId, PackageStore
from hub.archive.times import moment

log = logging.getLogger(__name__)

MARKS_KEPT = 20_000
"""Speech turns and slide changes given to a player for one room; the file itself has them all."""
NEAR_S = 0.01
"""A part that ends this near to a gap, in seconds, ends at it: times are rounded to the microsecond."""
LINE_BYTES = 64 << 10
"""A longer line of a timeline is no observation of ours."""


class Clip(Message):
    """One part of a track, placed in session time."""

    url: str = Field(description="Where to play it from; ranges are answered.")
    file: FileName
    start_t: float = Field(description="Session time of its first picture or sound, in seconds.")
    seconds: float
    sound: bool
    width: int
    height: int
    closed: str = Field(description="How the part ended: end, crash, disk-full, source-lost or open.")


class Track(Message):
    """One track of one room; its clips follow each other in session time."""

    track: str
    clips: tuple[Clip, ...]


class Turn(Message):
    """Somebody speaks in the room."""

    t: float
    seconds: float


class SlideChange(Message):
    """Another slide is shown."""

    t: float
    index: int | None = None


class Reason(StrEnum):
    """Why a stretch of a track is missing, as its parts tell: what any language can say."""

    NOTHING = "nothing"
    """The track has no part at all."""
    LATE = "late"
    """It began after the lesson did."""
    EARLY = "early"
    """It was closed in order before the lesson's end."""
    ANEW = "anew"
    """It was closed in order, and another part came later."""
    CRASH = "crash"
    DISK_FULL = "disk-full"
    SOURCE_LOST = "source-lost"
    OPEN = "open"
    """The part before was never closed."""


class Missing(Gap):
    """A stretch of session time that a track does not hold."""

    reason: Reason | None = Field(None, description="Why, where the parts tell; `why` has the room's own words.")


class RoomPlayback(Message):
    """One room's part of the lesson."""

    room: RoomId
    role: Role
    name: str
    tracks: tuple[Track, ...] = ()
    speech: tuple[Turn, ...] = ()
    slides: tuple[SlideChange, ...] = ()
    gaps: tuple[Missing, ...] = ()
    files: tuple[FileEntry, ...] = ()
    words: tuple[str, ...] = Field((), description="What went less well, a sentence each, as the room told it.")
    clock: str = Field("", description="`exchange`, or `wall` where the room never heard the hub's clock.")
    deleted: Deletion | None = None


class ChapterShown(Message):
    """One knowledge point of the lesson."""

    t: float = Field(description="Session time at which it begins, in seconds.")
    seconds: float
    title: str | None = Field(None, description="Null where nobody knows it.")
    source: str = Field(description="Who says so: `mark`, `slide`, `plan`, `edited` or `unknown`.")
    confidence: float | None = Field(None, description="0 to 1, of a title that was read from slides; 1 for a mark's.")


class Playback(Message):
    """A finished lesson, as far as the hub holds it."""

    session: SessionId
    title: str
    epoch: float
    seconds: float
    rooms: tuple[RoomPlayback, ...]
    chapters: tuple[ChapterShown, ...] = ()


def room_playback(store: PackageStore, package: PackageId, role: Role, name: str) -> RoomPlayback:
    """One room's part; empty where its package is not complete, with the note where it was deleted.

    Blocks on the disk.
    """
    bare = RoomPlayback(room=package.room, role=role, name=name)
    note = store.deletion(package)
    if note is not None:
        return bare.model_copy(update={"deleted": note})
    if store.receipt(package) is None:
        return bare
    manifest = store.manifest(package)
    if manifest is None:
        return bare
    speech, slides = marks(store.file(package, TIMELINE), manifest)
    return RoomPlayback(
        room=package.room,
        role=manifest.role,
        name=name or manifest.name,
        tracks=tracks(manifest, package),
        speech=speech,
        slides=slides,
        gaps=tuple(Missing(**gap.model_dump(), reason=reason(gap, manifest.parts)) for gap in manifest.gaps),
        files=store.arrived(package),
        words=manifest.result.words if manifest.result else (),
        clock=manifest.clock.source,
    )


def tracks(manifest: Manifest, package: PackageId) -> tuple[Track, ...]:
    """The tracks, camera first, each with its parts in session time; files that are not there are left out."""
    held = {entry.name for entry in manifest.files}
    names = sorted({part.track for part in manifest.parts}, key=lambda track: (track != "camera", track))
    found = []
    for name in names:
        parts = [part for part in manifest.parts if part.track == name and part.file in held]
        clips = tuple(_clip(part, package) for part in sorted(parts, key=lambda part: (part.start_t, part.index)))
        if clips:
            found.append(Track(track=name, clips=clips))
    return tuple(found)


def reason(gap: Gap, parts: Iterable[Part]) -> Reason | None:
    """Why `gap` is there, from how the part before it was closed; None where no part ends at it."""
    own = [part for part in parts if part.track == gap.track and part.seconds > 0]
    if not own:
        return Reason.NOTHING
    if gap.end_t <= min(part.start_t for part in own) + NEAR_S:
        return Reason.LATE
    before = [part for part in own if abs(part.start_t + part.seconds - gap.start_t) <= NEAR_S]
    if not before:
        return None
    if before[-1].closed != "end":
        return Reason(before[-1].closed)
    return Reason.ANEW if any(part.start_t >= gap.end_t - NEAR_S for part in own) else Reason.EARLY


def marks(timeline: Path | None, manifest: Manifest) -> tuple[tuple[Turn, ...], tuple[SlideChange, ...]]:
    """Speech turns and slide changes of a timeline file; lines that are no observations are skipped and counted."""
    if timeline is None:
        return (), ()
    with timeline.open("rb") as file:
        return _marks(file, timeline.name, manifest)


def _marks(lines: Iterable[bytes], name: str, manifest: Manifest) -> tuple[tuple[Turn, ...], tuple[SlideChange, ...]]:
    turns: list[Turn] = []
    slides: list[SlideChange] = []
    wrong = 0
    for line in lines:
        try:
            seen = Observation.model_validate_json(line[:LINE_BYTES])
        except ValidationError:
            wrong += 1
            continue
        if seen.kind == "speech" and seen.seconds > 0 and len(turns) < MARKS_KEPT:
            turns.append(Turn(t=moment(seen, manifest), seconds=seen.seconds))
        elif seen.kind == "slide" and len(slides) < MARKS_KEPT:
            index = seen.value.get("index")
            slides.append(SlideChange(t=moment(seen, manifest), index=index if isinstance(index, int) else None))
    if wrong:
        log.warning("%d lines of %s are no observations", wrong, name)
    return tuple(turns), tuple(slides)


def _clip(part: Part, package: PackageId) -> Clip:
    return Clip(
        url=f"/api/v1/packages/{package.session}/{package.room}/files/{part.file}",
        file=part.file,
        start_t=part.start_t,
        seconds=part.seconds,
        sound=part.sound,
        width=part.width,
        height=part.height,
        closed=part.closed,
    )
