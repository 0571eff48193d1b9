"""Is the volume with the lesson packages encrypted?"""

from agent.checks.line import CheckLine, Verdict
from agent.identity import Identity
from agent.platform import volume_encrypted
from agent.settings import AgentSettings


def look(settings: AgentSettings, _identity: Identity | None) -> CheckLine:
    """Ask the kernel (Linux: dm-crypt below the file system)."""
    folder = settings.state
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    encrypted = volume_encrypted(folder)
    if encrypted:
        return CheckLine("volume", Verdict.OK, f"the volume of {settings.state} is encrypted")
    if encrypted is None:
        words = f"whether the volume of {settings.state} is encrypted cannot be told here"
        return CheckLine("volume", Verdict.WARN, words, "see that it is (Windows: BitLocker; Linux: LUKS)")
    words = f"the volume of {settings.state} is not encrypted: whoever takes the disk can see the lessons"
    return CheckLine("volume", Verdict.WARN, words, "put the state folder on a LUKS volume")
