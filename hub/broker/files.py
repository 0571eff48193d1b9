"""Files that a broker reads while we change them."""

import os
from pathlib import Path


def replace(file: Path, data: bytes) -> None:
    """Put `data` in the place of `file` in one step, readable by its owner alone.

    Raises:
        OSError: the folder cannot be written.
    """
    draft = file.with_name(f"{file.name}.new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        out.write(data)
    draft.replace(file)
