"""A database of its own for each test: an SQLite file with the hub's tables, which are made once and then copied."""

import functools
import tempfile
from pathlib import Path

from hub.store.store import Store


def with_tables(file: Path) -> str:
    """The URL of `file`, as a new hub leaves it; one that is there already stays as it is."""
    if not file.exists():
        file.write_bytes(_new())
    return f"sqlite:///{file}"


@functools.cache
def _new() -> bytes:
    """Migrating takes ten times as long as opening what is migrated."""
    with tempfile.TemporaryDirectory() as folder:
        Store.open(f"sqlite:///{folder}/hub.db").close()
        return (Path(folder) / "hub.db").read_bytes()
