"""Which of the machine's devices the room's source needs, and what can be told of one without opening it."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

LISTED = sys.platform.startswith("linux")
"""Whether this system lists its cameras and microphones without opening them."""


class Presence(StrEnum):
    """What is known of a device that nobody has opened for this look."""

    UNNEEDED = "unneeded"
    """The room's source does without."""
    PRESENT = "present"
    """The system lists it."""
    IN_USE = "in-use"
    """This agent has it open, as in a lesson: it is there and gives."""
    MISSING = "missing"
    """The system does not list it."""
    UNKNOWN = "unknown"
    """It cannot be told without opening it."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Devices that the room's source names."""

    camera: int | None = None
    """Number of a camera of this machine; None where the picture comes from elsewhere."""
    microphone: bool = False
    """Whether the sound comes from a microphone of this machine."""


def opened(folder: Path = Path("/proc/self/fd")) -> Iterator[str]:
    """Paths that this process has open (Linux); nothing where the system does not tell."""
    try:
        entries = list(folder.iterdir())
    except OSError:
        return
    for entry in entries:
        try:
            yield str(entry.readlink())
        except OSError:
            continue  # closed meanwhile
