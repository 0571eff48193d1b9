"""Room for lesson packages."""

import shutil

from hub.checks.line import CheckLine, bad, ok, warn
from hub.settings import HubSettings

NAME = "disk"
LEAST_BYTES = 1 << 30
"""Below this not even one lesson of two rooms fits."""
COMFORTABLE_BYTES = 20 << 30
LESSON_BYTES = 1_500_000_000
"""A lesson of 45 minutes, two rooms at 2 Mbit/s and slides."""


def look(settings: HubSettings) -> CheckLine:
    """How many lessons the archive's volume has room for."""
    folder = settings.archive_folder
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    words = f"{free / (1 << 30):.1f} GiB free for the archive, about {free // LESSON_BYTES} lessons"
    if free < LEAST_BYTES:
        return bad(NAME, words, "free space, or set `archive` to a larger volume")
    if free < COMFORTABLE_BYTES:
        return warn(NAME, words, "set `archive` to a larger volume, or let policies delete after some days")
    return ok(NAME, words)
