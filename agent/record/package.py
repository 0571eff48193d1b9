"""One room's lesson package while it is being made: parts, draft manifest, seal.

The draft is on the disk before a part's file is created, so whoever comes after a
crash knows every part. Files are never overwritten and never renamed.
"""

import hashlib
import logging
import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pydantic import ValidationError

from agent.encode.packet import VideoPacket
from agent.platform import replace_file, sync_folder
from agent.record.gaps import all_gaps
from agent.record.repair import Figures, cut_torn_tail, measure, mend_lines
from agent.record.trouble import PackageUnusable, SealFailed
from agent.record.writer import Closed
from contract.clock import ClockRecord, SessionClock, session_t
from contract.package import MANIFEST, FileEntry, Manifest, Part
from contract.result import Recording, RoomResult
from contract.session import RoomOrder, SessionOrder

log = logging.getLogger(__name__)

UPLOAD = "upload.json"
RECEIPT = "receipt.json"
BESIDE = frozenset({MANIFEST, UPLOAD, RECEIPT})
"""Files of the folder that the manifest does not list."""
HASH_BYTES = 1 << 20
NAME = re.compile(r"^[a-z0-9][a-z0-9.-]{0,62}$")
PART = re.compile(r"^([a-z0-9-]+)(?:\.(\d+))?\.mp4$")


@dataclass(frozen=True, slots=True)
class Standpoint:
    """Who records, and how this device tells the time."""

    boot: str
    """Identity of this boot of the machine."""
    clock: SessionClock
    """Maps the monotonic clock to hub UTC; thread-safe."""
    record: Callable[[], ClockRecord]
    """The clock map to keep in the manifest."""
    versions: dict[str, str]
    """Programs and their versions."""


def file_entry(name: str, file: BinaryIO) -> FileEntry:
    """Name, size and SHA-256 of a file as it is on disk, read from its beginning.

    Raises:
        OSError: it cannot be read.
    """
    digest = hashlib.sha256()
    size = 0
    while chunk := file.read(HASH_BYTES):
        digest.update(chunk)
        size += len(chunk)
    return FileEntry(name=name, bytes=size, sha256=digest.hexdigest())


def _entry(path: Path) -> FileEntry:
    with path.open("rb") as file:
        return file_entry(path.name, file)


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest in `folder`, draft or sealed; None where there is none.

    Raises:
        PackageUnusable: there is one that cannot be read.
    """
    path = folder / MANIFEST
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        raise PackageUnusable(f"{path} cannot be read ({error}); the recordings beside it are untouched") from error


class PackageDraft:
    """The package of one room in one session, until it is sealed. Thread-safe: each track's writer calls it."""

    def __init__(self, folder: Path, manifest: Manifest, standpoint: Standpoint | None) -> None:
        """Use `begin` or `reopen`."""
        self.folder = folder
        self._manifest = manifest
        self._standpoint = standpoint
        self._lock = threading.RLock()

    @classmethod
    def begin(cls, folder: Path, order: SessionOrder, room: RoomOrder, standpoint: Standpoint) -> "PackageDraft":
        """Begin the package in `folder`, or go on with the one that an earlier run of the agent left there.

        What a crash tore is mended first. Nothing is written where the policy allows nothing to be kept.

        Raises:
            PackageUnusable: the package is sealed already, or its manifest cannot be read.
            OSError: the volume is full or broken.
        """
        found = read_manifest(folder)
        if found is not None and found.sealed:
            raise PackageUnusable(f"the package in {folder} is sealed; nothing may be added to it")
        manifest = Manifest(
            session=order.session,
            room=room.room,
            role=room.role,
            device=room.device,
            name=room.name,
            title=order.title,
            epoch=order.epoch,
            seconds=order.seconds,
            policy=order.policy,
            parts=found.parts if found else (),
            clock=standpoint.record(),
            versions=standpoint.versions,
        )
        draft = cls(folder, manifest, standpoint)
        if not (order.policy.record or order.policy.observe):
            return draft
        missing = [one for one in (folder, *folder.parents) if not one.exists()]
        folder.mkdir(parents=True, exist_ok=True)
        for one in missing:
            sync_folder(one.parent)
        draft.mend()
        return draft

    @classmethod
    def reopen(cls, folder: Path) -> "PackageDraft":
        """Open a draft whose lesson is over, to mend and seal it.

        Raises:
            PackageUnusable: there is none, it is sealed, or it cannot be read.
            OSError: the volume is full or broken.
        """
        found = read_manifest(folder)
        if found is None or found.sealed:
            raise PackageUnusable(f"there is no draft in {folder}")
        draft = cls(folder, found, None)
        draft.mend()
        return draft

    @property
    def manifest(self) -> Manifest:
        """The draft as it stands."""
        with self._lock:
            return self._manifest

    def mend(self) -> None:
        """Cut torn tails, count what crashed parts hold, and put the draft on the disk.

        Raises:
            OSError: a file cannot be mended or the draft cannot be written.
        """
        with self._lock:
            for name in self.folder.glob(".*.new"):  # what a crash left of a manifest half written
                name.unlink(missing_ok=True)
            parts = [self._mended(part) for part in self._manifest.parts]
            for path in self.folder.glob("*.jsonl"):
                mend_lines(path)
            self._manifest = self._manifest.model_copy(update={"parts": tuple(one for one in parts if one)})
            self._write()

    def _mended(self, part: Part) -> Part | None:
        if part.closed != "open":
            return part
        path = self.folder / part.file
        if not path.exists():
            return None
        torn = cut_torn_tail(path)
        if path.stat().st_size == 0:
            path.unlink()  # not even its header was written
            return None
        log.info("%s: closed after a crash, %d torn bytes cut", path, torn)
        return _filled(part, measure(path), dropped=0, closed="crash")

    def begin_part(self, track: str, first: VideoPacket, *, fps: int, sound: bool) -> Path:
        """Name the next part of `track` and put that on the disk before its file exists.

        Raises:
            OSError: the volume is full or broken.
        """
        standpoint = self._standpoint
        if standpoint is None:
            raise ValueError("a reopened package takes no new parts")
        with self._lock:
            before = self._manifest
            index = self._next_index(track)
            part = Part(
                track=track,
                file=f"{track}.mp4" if index == 0 else f"{track}.{index}.mp4",
                index=index,
                boot=standpoint.boot,
                start_mono_ns=first.mono_ns,
                start_t=session_t(standpoint.clock, before.epoch, first.mono_ns),
                width=first.width,
                height=first.height,
                fps=fps,
                sound=sound,
            )
            self._manifest = before.model_copy(update={"parts": (*before.parts, part), "clock": standpoint.record()})
            try:
                self._write()
            except OSError:
                self._manifest = before
                raise
            return self.folder / part.file

    def end_part(self, file: str, figures: Figures, *, dropped: int, closed: Closed) -> None:
        """Keep what a part holds; one without a single packet is removed.

        The draft is written at the next chance where the volume takes nothing now.
        """
        with self._lock:
            empty = figures.seconds <= 0
            parts = [
                _filled(part, figures, dropped=dropped, closed=closed) if part.file == file else part
                for part in self._manifest.parts
                if not (empty and part.file == file)
            ]
            self._manifest = self._manifest.model_copy(update={"parts": tuple(parts)})
            try:
                if empty:
                    (self.folder / file).unlink(missing_ok=True)
                self._write()
            except OSError as error:
                log.warning("%s: the draft waits for space: %s", self.folder, error)

    def seal(self, seconds: float, tracks: Sequence[str], result: RoomResult) -> Manifest:
        """Hash every file, find the gaps, and write the sealed manifest. Slow: call it in a thread.

        Args:
            seconds: the session's length as it came to be; shorter than ordered where it was ended early.
            tracks: tracks that were to be recorded, so that one without a part is a gap.
            result: the room's account; its `recording` is filled in here.

        Raises:
            SealFailed: the volume takes nothing; files and draft are kept, and sealing can be tried again.
        """
        with self._lock:
            try:
                names = sorted(path for path in self.folder.iterdir() if path.is_file() and NAME.match(path.name))
                files = tuple(_entry(path) for path in names if path.name not in BESIDE)
                hashes = {one.name: one.sha256 for one in files}
                parts = self._manifest.parts
                sealed = self._manifest.model_copy(
                    update={
                        "sealed": True,
                        "seconds": seconds,
                        "gaps": all_gaps(tracks, parts, seconds) if self._manifest.policy.record else (),
                        "clock": self._standpoint.record() if self._standpoint else self._manifest.clock,
                        "files": files,
                        "result": result.model_copy(update={"recording": recordings(parts, hashes)}),
                    }
                )
                replace_file(self.folder / MANIFEST, sealed.model_dump_json(by_alias=True, indent=1).encode())
            except OSError as error:
                raise SealFailed(
                    f"the lesson package in {self.folder} cannot be sealed: {error.strerror or error};"
                    " its recordings are kept, free space on the disk"
                ) from error
            self._manifest = sealed
            return sealed

    def _next_index(self, track: str) -> int:
        taken = [part.index for part in self._manifest.parts if part.track == track]
        for path in self.folder.glob(f"{track}*.mp4"):
            match = PART.match(path.name)
            if match and match[1] == track:
                taken.append(int(match[2] or 0))
        return max(taken, default=-1) + 1

    def _write(self) -> None:
        replace_file(self.folder / MANIFEST, self._manifest.model_dump_json(by_alias=True, indent=1).encode())


def _filled(part: Part, figures: Figures, *, dropped: int, closed: Closed) -> Part:
    return part.model_copy(
        update={
            "seconds": figures.seconds,
            "video_frames": figures.video_frames,
            "audio_seconds": figures.audio_seconds,
            "dropped_frames": dropped,
            "closed": closed,
        }
    )


def recordings(parts: Sequence[Part], hashes: dict[str, str]) -> tuple[Recording, ...]:
    """Each track over all its parts; `hashes` are SHA-256 by file name."""
    found = []
    for track in sorted({part.track for part in parts}):
        own = [part for part in parts if part.track == track]
        if own[0].file not in hashes:
            continue
        found.append(
            Recording(
                track=track,
                file=own[0].file,
                parts=len(own),
                seconds=round(sum(part.seconds for part in own), 6),
                video_frames=sum(part.video_frames for part in own),
                audio_seconds=round(sum(part.audio_seconds for part in own), 6),
                dropped_frames=sum(part.dropped_frames for part in own),
                sha256=hashes[own[0].file],
            )
        )
    return tuple(found)
