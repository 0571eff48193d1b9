"""Why the archive says no. Each refusal carries what happened and what to do about it.

ArchiveRefused
├── Unfit         the upload's description or the package itself is not what it should be
├── NotForYou     another device's session or room
├── NotAllowed    the session's policy does not let this room upload
├── WrongHash     the file is not the one that was announced
├── AlreadyKept   the archive holds a file of that name with another hash
├── Gone          the package was deleted at its expiry
└── Full          no room on the hub's disk
"""


class ArchiveRefused(Exception):
    """The archive does not take this; `what_to_do` is a sentence for whoever reads the agent's log."""

    def __init__(self, words: str, what_to_do: str) -> None:
        super().__init__(words)
        self.what_to_do = what_to_do


class Unfit(ArchiveRefused):
    """Malformed metadata, a name that is no file name, or a manifest that is none."""


class NotForYou(ArchiveRefused):
    """The session or the room belongs to another device."""


class NotAllowed(ArchiveRefused):
    """The session's policy has `upload` off."""


class WrongHash(ArchiveRefused):
    """Size or SHA-256 differ from what was announced."""


class AlreadyKept(ArchiveRefused):
    """The package is archived, with other contents."""


class Gone(ArchiveRefused):
    """The package was deleted at its expiry and is not taken again."""


class Full(ArchiveRefused):
    """The hub's disk has no room for it."""
