"""Files that are on the disk when we say so: append-only ones, and lines."""

import errno
import os
import threading
from collections.abc import Callable
from pathlib import Path

from agent.platform import sync_folder

SYNC_LINES_S = 0.5
"""While lines keep coming, they are put on the disk this often, in seconds."""

sync_data: Callable[[int], None] = getattr(os, "fdatasync", os.fsync)
"""Puts an open file's data on the disk; Windows has fsync alone."""


class SyncedFile:
    """A new file that only grows.

    `write` and `sync` never raise: the first trouble is kept in `trouble`, and from then on
    everything is swallowed, so that a muxer above can be closed without harm.
    """

    def __init__(self, path: Path) -> None:
        """Create `path`, never over an existing file, and put its name on the disk.

        Raises:
            OSError: it exists, or the volume is full or broken.
        """
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        self._descriptor: int | None = os.open(path, flags, 0o600)
        self.written = 0
        """Bytes written so far."""
        self.synced = 0
        """Bytes known to be on the disk."""
        self.trouble: OSError | None = None
        try:
            sync_folder(path.parent)
        except OSError:
            os.close(self._descriptor)
            self._descriptor = None
            raise

    def write(self, data: bytes) -> int:
        """Append `data`; returns its length even where it was swallowed."""
        rest = memoryview(data)
        while rest and self.trouble is None and self._descriptor is not None:
            try:
                taken = os.write(self._descriptor, rest)
            except OSError as error:
                self.trouble = error
            else:
                self.written += taken
                rest = rest[taken:]
        return len(data)

    def sync(self) -> None:
        """Put what was written on the disk."""
        if self.trouble is not None or self._descriptor is None or self.synced == self.written:
            return
        try:
            sync_data(self._descriptor)
        except OSError as error:
            self.trouble = error
        else:
            self.synced = self.written

    def give_up(self, trouble: OSError) -> None:
        """Swallow everything from now on."""
        self.trouble = self.trouble or trouble

    def close(self) -> None:
        """Close at the last synced byte: what is behind it may be half a fragment."""
        if self._descriptor is None:
            return
        descriptor, self._descriptor = self._descriptor, None
        try:
            if self.written > self.synced:
                os.ftruncate(descriptor, self.synced)
            os.fsync(descriptor)
        except OSError as error:
            self.trouble = self.trouble or error
        finally:
            os.close(descriptor)


class Lines:
    """Appends lines to a text file (`*.jsonl`), and puts them on the disk twice a second while they keep coming.

    Thread-safe. Where the volume is full, a line is dropped and counted; the next is tried again.
    """

    def __init__(self, path: Path, monotonic: Callable[[], float]) -> None:
        self.path = path
        self.dropped = 0
        """Lines that the volume did not take."""
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._descriptor: int | None = None
        self._synced_at = 0.0
        self._dirty = False

    def append(self, text: str) -> bool:
        """Add one line; returns whether it was taken."""
        with self._lock:
            try:
                self._write(text.encode() + b"\n")
            except OSError:
                self.dropped += 1
                return False
            return True

    def sync(self) -> None:
        """Put waiting lines on the disk.

        Raises:
            OSError: the volume is full or broken.
        """
        with self._lock:
            self._sync()

    def close(self) -> None:
        """Sync and close; may be called twice.

        Raises:
            OSError: the volume is full or broken.
        """
        with self._lock:
            descriptor = self._descriptor
            if descriptor is None:
                return
            try:
                self._sync()
            finally:
                self._descriptor = None
                os.close(descriptor)

    def _write(self, data: bytes) -> None:
        if self._descriptor is None:
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
            self._descriptor = os.open(self.path, flags, 0o600)
            sync_folder(self.path.parent)
        before = os.fstat(self._descriptor).st_size
        if os.write(self._descriptor, data) != len(data):
            os.ftruncate(self._descriptor, before)  # never half a line
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._dirty = True
        if self._monotonic() - self._synced_at >= SYNC_LINES_S:
            self._sync()

    def _sync(self) -> None:
        if self._dirty and self._descriptor is not None:
            sync_data(self._descriptor)
            self._dirty = False
        self._synced_at = self._monotonic()
