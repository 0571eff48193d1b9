"""What the archive holds of a session: each room's manifest and the lines of its timeline."""

import logging
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from pydantic import ValidationError

from contract.observation import Observation
from contract.package import TIMELINE, Manifest
from hub.archive.refusals import Unfit
from hub.archive.store import PackageId, PackageStore

log = logging.getLogger(__name__)

LINE_BYTES = 64 << 10
"""A longer line of a timeline is no observation of ours."""
LINES_MOST = 500_000
"""More lines of one timeline are not read: a lesson has some ten thousand."""
FARTHEST_S = 1e7
"""What lies farther from the lesson's beginning, in seconds, is no session time: a third of a year."""


@dataclass(frozen=True, slots=True)
class RoomPackage:
    """What one room's package brings to the hub's insight."""

    manifest: Manifest
    lines: Sequence[Observation]
    unreadable: int = 0
    """Lines of the timeline that are no observations, and were left out."""


def room_packages(store: PackageStore, session: str, rooms: Iterable[str]) -> list[RoomPackage]:
    """The packages of these rooms that are complete, in the rooms' order; blocks on the disk.

    Left out: a room whose package has no receipt, or was deleted, or is being deleted at this moment. A package
    without a timeline comes with no lines.

    Args:
        store: the archive.
        session: of which the packages are.
        rooms: their names.
    """
    found = (_package(store, PackageId(session, room)) for room in rooms)
    return [one for one in found if one is not None]


def observations_of(lines: Iterable[bytes]) -> tuple[list[Observation], int]:
    """Observations of a timeline's lines, and how many lines are none: torn by a crash, too long, or something else.

    Times and lengths that are not finite or far from any lesson make a line no observation.
    """
    found: list[Observation] = []
    wrong = 0
    for line in lines:
        try:
            one = Observation.model_validate_json(line if len(line) <= LINE_BYTES else b"")
        except ValidationError:
            wrong += 1
            continue
        if _in_session_time(one):
            found.append(one)
        else:
            wrong += 1
    return found, wrong


def _in_session_time(one: Observation) -> bool:
    return math.isfinite(one.t) and abs(one.t) <= FARTHEST_S and 0 <= one.seconds <= FARTHEST_S


def _package(store: PackageStore, package: PackageId) -> RoomPackage | None:
    if store.receipt(package) is None or store.deletion(package) is not None:
        return None
    try:
        manifest = store.manifest(package)
        timeline = store.file(package, TIMELINE)
        lines, wrong = _read(timeline) if timeline is not None else ([], 0)
    except (Unfit, FileNotFoundError) as error:  # the second: deleted since it was looked for
        log.warning("the package %s is left out of the lesson's figures: %s", package, error)
        return None
    if wrong:
        log.warning("%d lines of %s of %s are no observations", wrong, TIMELINE, package)
    return RoomPackage(manifest, lines, wrong) if manifest is not None else None


def _read(timeline: Path) -> tuple[list[Observation], int]:
    with timeline.open("rb") as file:
        return observations_of(islice(_lines(file), LINES_MOST))


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """Lines, of a long one only so much as tells that it is too long, so that no line fills the memory."""
    while line := file.readline(LINE_BYTES + 1):
        yield line
        while len(line) > LINE_BYTES and not line.endswith(b"\n"):
            line = file.readline(LINE_BYTES + 1)
            if not line:
                return
