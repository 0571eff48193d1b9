"""Unfinished uploads on disk, as tuspyserver's storage backend.

Its own backends do not fit: the default one writes and locks on the event loop and appends
behind bytes that a crash left over; the other holds a whole request in memory. Here chunks go
to disk in a thread as they come, and what lies past the recorded offset is cut off first.
"""

import asyncio
import json
import os
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from fastapi import HTTPException
from tuspyserver.storage import TusStorage

from hub.archive.refusals import Full, Unfit
from hub.archive.store import disk_words

GATHER_BYTES = 1 << 20
"""Chunks are gathered to this size before a thread writes them."""
LOCK_WAIT_S = 10.0
"""How long a second request for the same upload waits before it is sent away with 503."""

_UID = re.compile(r"[a-z0-9-]{2,63}\.[0-9a-f]{32}")


def new_uid(device: str, random_hex: str) -> str:
    """Address of a new upload of `device`; `random_hex` is 32 hexadecimal digits."""
    return f"{device}.{random_hex}"


def owner(uid: str) -> str:
    """The device whose upload `uid` is; empty where `uid` is none of ours."""
    return uid.partition(".")[0] if _UID.fullmatch(uid) else ""


class UploadFolder(TusStorage):  # type: ignore[misc]  # tuspyserver comes without types
    """Unfinished uploads: `{uid}` holds the bytes, `{uid}.info` what tuspyserver knows of them.

    A `uid` is `{device}.{random}`, so that whose upload it is can be read from its address.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.folder.mkdir(parents=True, exist_ok=True)
        self._locks: dict[str, asyncio.Lock] = {}
        self._open: dict[str, BinaryIO] = {}
        self._gathered: dict[str, bytearray] = {}

    def location(self, uid: str) -> str:
        """Path of the bytes of `uid`."""
        return str(self._path(uid))

    async def create(self, uid: str) -> None:
        """Begin an empty upload."""
        with _full_as_answer():
            await asyncio.to_thread(self._path(uid).touch)

    async def exists(self, uid: str) -> bool:
        """Whether the upload is known."""
        return await asyncio.to_thread(self._path(uid).is_file)

    async def size(self, uid: str) -> int:
        """Bytes on disk."""
        path = self._path(uid)
        return await asyncio.to_thread(lambda: path.stat().st_size if path.is_file() else 0)

    async def append(self, uid: str, chunk: bytes) -> None:
        """Take one chunk of a request.

        Raises:
            HTTPException: 507, the disk is full.
        """
        gathered = self._gathered.setdefault(uid, bytearray())
        gathered += chunk
        if len(gathered) >= GATHER_BYTES:
            await self._write_out(uid)

    async def flush(self, uid: str) -> None:
        """Put everything taken so far safely on disk.

        Raises:
            HTTPException: 507, the disk is full.
        """
        await self._write_out(uid)
        file = self._open.get(uid)
        if file is not None:
            with _full_as_answer():
                await asyncio.to_thread(os.fsync, file.fileno())

    async def finalize(self, uid: str) -> None:
        """Nothing to seal in a folder."""

    async def read(self, uid: str) -> bytes | None:
        """All bytes of an upload; tuspyserver never asks for them on the routes we mount."""
        path = self._path(uid)
        return await asyncio.to_thread(path.read_bytes) if path.is_file() else None

    async def delete(self, uid: str) -> None:
        """Forget an upload and its bytes."""
        await asyncio.to_thread(self.forget, uid)

    def forget(self, uid: str) -> None:
        """Forget an upload and its bytes; blocks on the disk."""
        self._path(uid).unlink(missing_ok=True)
        self._info(uid).unlink(missing_ok=True)
        self._locks.pop(uid, None)

    async def read_info(self, uid: str) -> dict[str, Any] | None:
        """What tuspyserver noted about the upload."""
        return await asyncio.to_thread(self.info, uid)

    def info(self, uid: str) -> dict[str, Any] | None:
        """What tuspyserver noted about the upload; blocks on the disk."""
        try:
            noted = json.loads(self._info(uid).read_text(encoding="utf-8"))
        except (FileNotFoundError, json.JSONDecodeError):
            return None
        return noted if isinstance(noted, dict) else None

    async def write_info(self, uid: str, data: dict[str, Any]) -> None:
        """Keep what tuspyserver notes about the upload, as one step."""
        with _full_as_answer():
            await asyncio.to_thread(self._write_info, uid, json.dumps(data))

    async def list_uids(self) -> list[str]:
        """Every upload that is known."""
        return await asyncio.to_thread(self.uids)

    def uids(self, device: str | None = None) -> list[str]:
        """Every upload that is known, or those of `device`; blocks on the disk."""
        start = "" if device is None else f"{device}."
        return sorted(path.stem for path in self.folder.glob("*.info") if path.name.startswith(start))

    @asynccontextmanager
    async def lock(self, uid: str) -> AsyncIterator[None]:
        """Have `uid` for oneself; bytes past its recorded offset are cut off.

        Raises:
            TimeoutError: another request holds it.
        """
        lock = self._locks.setdefault(uid, asyncio.Lock())
        async with asyncio.timeout(LOCK_WAIT_S):
            await lock.acquire()
        try:
            self._open[uid] = await asyncio.to_thread(self._open_at_offset, uid)
            yield
        finally:
            self._gathered.pop(uid, None)
            file = self._open.pop(uid, None)
            if file is not None:
                file.close()
            lock.release()

    async def _write_out(self, uid: str) -> None:
        data = bytes(self._gathered.pop(uid, b""))
        if data:
            with _full_as_answer():
                await asyncio.to_thread(_write_all, self._open[uid], data)

    def _open_at_offset(self, uid: str) -> BinaryIO:
        noted = self.info(uid) or {}
        file = self._path(uid).open("rb+", buffering=0)
        file.truncate(int(noted.get("offset", 0)))
        file.seek(0, os.SEEK_END)
        return file

    def _write_info(self, uid: str, text: str) -> None:
        fresh = self._info(uid).with_suffix(".new")
        with fresh.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._info(uid))

    def _path(self, uid: str) -> Path:
        if not _UID.fullmatch(uid):
            raise Unfit("that is not the address of an upload", "create the upload anew")
        return self.folder / uid

    def _info(self, uid: str) -> Path:
        return self._path(uid).with_name(f"{uid}.info")


def _write_all(file: BinaryIO, data: bytes) -> None:
    """Write all of `data`: an unbuffered file may take less at a time, above all on a disk that fills up."""
    rest = memoryview(data)
    while rest:
        rest = rest[file.write(rest) :]


@contextmanager
def _full_as_answer() -> Iterator[None]:
    """Tell a full disk as 507: of all exceptions in mid-request, tuspyserver lets only this kind through."""
    try:
        with disk_words():
            yield
    except Full as full:
        detail = {"error": str(full), "what_to_do": full.what_to_do}
        raise HTTPException(status_code=507, detail=detail) from full
