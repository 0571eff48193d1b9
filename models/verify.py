"""Is the installed file the one that the manifest names?"""

import hashlib
from enum import StrEnum
from pathlib import Path

from models.manifest import Model


class ModelState(StrEnum):
    """Where one model stands in a folder."""

    RIGHT = "right"
    """There, with the size and hash of the manifest."""
    MISSING = "missing"
    """Not there; `tongtang models install` fetches it."""
    CORRUPT = "corrupt"
    """There, but not what the manifest names; `tongtang models install` replaces it."""


def check(model: Model, content: bytes) -> str:
    """Say in words what is wrong with `content` as the file of `model`; empty when it is right."""
    if len(content) != model.bytes:
        return f"{len(content)} bytes instead of {model.bytes}"
    if hashlib.sha256(content).hexdigest() != model.sha256:
        return "the right size but another content (SHA-256 differs)"
    return ""


def state_of(model: Model, folder: Path) -> ModelState:
    """Where `model` stands in `folder`; reads the whole file."""
    try:
        content = (folder / model.file).read_bytes()
    except FileNotFoundError:
        return ModelState.MISSING
    except OSError:
        return ModelState.CORRUPT
    return ModelState.CORRUPT if check(model, content) else ModelState.RIGHT
