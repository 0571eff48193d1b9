"""Is there room for a day of lessons?"""

import psutil

from agent.checks.line import CheckLine, Verdict
from agent.identity import Identity
from agent.settings import AgentSettings

LESSON_BYTES = 1_100_000_000
"""One lesson of 45 minutes: 2 Mbit/s camera, 1 Mbit/s slides, sound."""
LESSONS = 8
"""Lessons of a full day."""


def look(settings: AgentSettings, _identity: Identity | None) -> CheckLine:
    """Compare what is free with what recording keeps free and a day of lessons takes."""
    folder = settings.state
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    free = psutil.disk_usage(str(folder)).free
    usable = free - settings.record.min_free_bytes
    gigabytes = f"{free / 1e9:.1f} GB free on the volume of {settings.state}"
    todo = "remove what is not needed, or move the state folder to a larger volume"
    if usable < LESSON_BYTES:
        return CheckLine("disk", Verdict.BAD, f"{gigabytes}: not enough for one lesson", todo)
    if usable < LESSONS * LESSON_BYTES:
        return CheckLine("disk", Verdict.WARN, f"{gigabytes}: enough for {usable // LESSON_BYTES} lessons", todo)
    return CheckLine("disk", Verdict.OK, gigabytes)
