"""What a backup says of itself. It is the file's last member: a backup that was cut off has none."""

import re
from typing import Literal

from pydantic import Field

from contract.model import Message, Sha256

FORMAT = 1
MANIFEST = "manifest.json"
SQLITE = "hub.db"
POSTGRES = "hub.pgdump"
SETTINGS = "hub.toml"
ARCHIVE = "archive/"
MANIFEST_MAX_BYTES = 256 << 20
"""A district's archive has some million files at the most; whatever is longer is no manifest."""
_NAME = re.compile(r"[A-Za-z0-9.][A-Za-z0-9._-]*(/[A-Za-z0-9.][A-Za-z0-9._-]*)*")


class BackedFile(Message):
    """One file of a backup."""

    name: str
    bytes: int = Field(ge=0)
    sha256: Sha256


class BackupManifest(Message):
    """`manifest.json`."""

    format: int = FORMAT
    made: float = Field(description="Seconds of hub UTC.")
    tongtang: str = Field(description="Version of the hub that made it.")
    revision: str = Field(description="Of the database's tables.")
    database: Literal["sqlite", "postgresql"]
    devices: int = Field(ge=0)
    archive: bool = Field(description="Whether lesson packages are in it.")
    files: tuple[BackedFile, ...]


def name_is_safe(name: str) -> bool:
    """Whether a member's name is a relative path that stays below its folder."""
    return _NAME.fullmatch(name) is not None and ".." not in name.split("/") and "." not in name.split("/")
