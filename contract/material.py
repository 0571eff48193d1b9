"""Materials of a session: files that its rooms fetch before it begins, for the day on which the link fails."""

from typing import Annotated

from pydantic import Field, StringConstraints

from contract.model import Message, RoomId, SessionId, Sha256

MOST_MATERIALS = 50
"""Of one session."""
MATERIAL_MOST_BYTES = 2 << 30
"""Nothing larger is taken anywhere; a hub may allow less."""

_UNSEEN = r"\x00-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
"""Signs that nobody sees, or that turn the order of others: `gpj.exe` must not be shown as `exe.jpg`."""
_KEPT = rf'/\\:*?"<>|{_UNSEEN}'
MaterialName = Annotated[
    str,
    StringConstraints(min_length=1, max_length=64, pattern=rf"^[^{_KEPT}. ](?:[^{_KEPT}]*[^{_KEPT}. ])?$"),
]
"""The file's name as people gave it, in any language; never a path, and without what systems reserve."""


class Material(Message):
    """One file; two of the same content are one on disk."""

    name: MaterialName
    sha256: Sha256
    bytes: int = Field(ge=0, le=MATERIAL_MOST_BYTES)


class MaterialHeld(Message):
    """A room holds a file, and has just looked at its hash."""

    session: SessionId
    room: RoomId
    sha256: Sha256
