"""The base of every message and file model, and the identifiers they share."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

DeviceId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{1,62}$")]
"""Identifier of a device: lower-case letters, digits and hyphens; also a topic level and a file name."""

RoomId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{1,62}$")]
"""Identifier of a room: as a device's; also a folder name."""

SessionId = Annotated[str, StringConstraints(pattern=r"^s-[a-z0-9-]{4,60}$")]
"""Identifier of a session: `s-` and lower-case letters, digits and hyphens; also a folder name."""

FileName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.-]{0,62}$")]
"""Name of a file in a lesson package; never a path."""

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""SHA-256 in lower-case hexadecimal."""


class Message(BaseModel):
    """A message or file of the contract: unknown fields are ignored, so that newer speakers are understood."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)
