"""Whether the archive's volume is encrypted."""

from hub.checks.line import CheckLine, ok, warn
from hub.platform import volume_encrypted
from hub.settings import HubSettings

NAME = "encryption"


def look(settings: HubSettings) -> CheckLine:
    """Whether a stolen disk would give lessons away."""
    folder = settings.archive_folder if settings.archive_folder.exists() else settings.data
    found = volume_encrypted(folder) if folder.exists() else None
    if found:
        return ok(NAME, "the archive lies on an encrypted volume (dm-crypt)")
    if found is None:
        return warn(
            NAME, "unknown: this system does not tell", "see to it that the volume is encrypted (LUKS, BitLocker)"
        )
    return warn(
        NAME, "the archive's volume is not encrypted", "put the archive on a LUKS volume: it holds children's lessons"
    )
