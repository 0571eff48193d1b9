"""Open files: each connected device is one, in the broker."""

from hub.checks.line import CheckLine, ok, warn
from hub.platform import FILES_WANTED, allow_files
from hub.settings import HubSettings

NAME = "open files"
BESIDE = 500
"""Files that hub and broker open besides: database, archive, uploads, viewers."""
A_DISTRICT = 2_000
"""Devices of one district."""


def look(_settings: HubSettings) -> CheckLine:
    """How many devices the system lets the hub's broker hold at once."""
    room = max(0, allow_files(FILES_WANTED) - BESIDE)
    words = f"the system allows the broker about {room:,} connected devices"
    if room < A_DISTRICT:
        return warn(NAME, words, "raise the hard limit of open files (LimitNOFILE= in the unit, ulimit -Hn in a shell)")
    return ok(NAME, words)
