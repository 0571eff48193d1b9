"""The one place of the agent where operating systems differ.

Everything here has a fallback that says so: a machine without systemd, without
`/proc` or without Unix sockets runs the same agent.
"""

import asyncio
import contextlib
import ctypes
import hashlib
import os
import signal
import socket
import sys
import tempfile
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path

import psutil

SOCKET_PATH_MAX = 100
"""Bytes a Unix socket's path may take here; the system's limit is 107 on Linux and 103 elsewhere."""
_PR_SET_PDEATHSIG = 1

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
"""Serves one client of a local socket."""


def boot_id() -> str:
    """The identity of this boot: the same until the machine restarts, another one after."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        # Boot time wanders by a second or so where it is computed from the wall clock; a minute's grain hides that.
        return f"boot-{round(psutil.boot_time() / 60)}"


def machine_id() -> str:
    """A fingerprint of this machine that a copy of its disk in another machine should not share."""
    for path in (Path("/etc/machine-id"), Path("/var/lib/dbus/machine-id")):
        with contextlib.suppress(OSError):
            text = path.read_text(encoding="ascii").strip()
            if text:
                return _digest(text)
    return _digest(f"{uuid.getnode():012x}")


def _digest(text: str) -> str:
    return hashlib.sha256(f"tongtang {text}".encode()).hexdigest()[:16]


def notify(text: str) -> bool:
    """Tell systemd `text` (`READY=1`, `WATCHDOG=1`, `STATUS=...`); False where nobody listens."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address or not hasattr(socket, "AF_UNIX"):
        return False
    if address.startswith("@"):
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
            out.connect(address)
            out.sendall(text.encode())
    except OSError:
        return False
    return True


def watchdog_s() -> float | None:
    """How often systemd wants to hear `WATCHDOG=1` at the least, in seconds; None where it does not."""
    text = os.environ.get("WATCHDOG_USEC", "")
    return int(text) / 1e6 if text.isdigit() and int(text) > 0 else None


def die_with_parent() -> None:
    """Called in a child: end it when its parent is gone. Does nothing where the system cannot (not Linux)."""
    if sys.platform != "linux":
        return
    parent = os.getppid()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(1)  # the parent went before the request was in place


def lower_priority() -> None:
    """Let the lesson's own threads go first: for analytics and other work that may wait."""
    process = psutil.Process()
    with contextlib.suppress(psutil.Error, OSError):
        if sys.platform == "win32":
            process.nice(psutil.BELOW_NORMAL_PRIORITY_CLASS)
        else:
            process.nice(10)


def sync_folder(folder: Path) -> None:
    """Make a folder's entries survive a power cut; Windows does this with the files themselves."""
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace_file(path: Path, data: bytes) -> None:
    """Write `path` whole or not at all, mode 0600, and so that it survives a power cut.

    Raises:
        OSError: the disk is full or the folder cannot be written; the old file is still there.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".new", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


async def serve_local(talk: Talk, path: Path) -> asyncio.Server:
    """Listen for processes of this machine: a Unix socket of mode 0600 at `path`.

    Where there are no Unix sockets, or the path is too long for one, it is a port on
    127.0.0.1 and `path` is a file that holds its address; `open_local` knows both.
    """
    _make_way(path)
    if sys.platform == "win32" or len(os.fsencode(path)) > SOCKET_PATH_MAX:
        server = await asyncio.start_server(talk, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        replace_file(path, f"127.0.0.1:{port}\n".encode())
        return server
    mask = os.umask(0o177)
    try:
        return await asyncio.start_unix_server(talk, path)
    finally:
        os.umask(mask)


async def open_local(path: Path) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect to what `serve_local` listens on.

    Raises:
        OSError: nobody listens there.
    """
    address = _address(path)
    if sys.platform != "win32" and address is None:
        return await asyncio.open_unix_connection(path)
    host, _, port = (address or "").partition(":")
    if not port.isdigit():
        raise ConnectionRefusedError(f"{path} holds no address")
    return await asyncio.open_connection(host, int(port))


def _make_way(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)


def _address(path: Path) -> str | None:
    """The TCP address that `path` holds; None where it is a socket itself."""
    return None if path.is_socket() else path.read_text(encoding="ascii").strip()


def volume_encrypted(path: Path) -> bool | None:
    """Whether the volume that holds `path` is encrypted by dm-crypt; None where that cannot be told.

    Walks from the file system's block device down through LVM and RAID (Linux, `/sys/dev/block`).
    """
    if sys.platform != "linux":
        return None
    device = path.stat().st_dev
    return block_encrypted(Path(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}"))


def block_encrypted(block: Path) -> bool | None:
    """Whether a block device is encrypted, or all that lie below it are; None where that cannot be told.

    Args:
        block: its folder in the kernel's `/sys/dev/block`.
    """
    if not block.exists():
        return None  # an overlay, a tmpfs or a network share has no block device of its own
    with contextlib.suppress(OSError):
        if (block / "dm" / "uuid").read_text(encoding="ascii").startswith("CRYPT-"):
            return True
    below = block / "slaves"
    found = [block_encrypted(one.resolve()) for one in sorted(below.iterdir())] if below.is_dir() else []
    if not found:
        return False
    return None if None in found else all(found)


def clock_synchronised() -> bool | None:
    """Whether the system says that its wall clock follows a time server; None where it does not say."""
    if sys.platform != "linux":
        return None
    if Path("/run/systemd/timesync/synchronized").exists():
        return True
    # adjtimex(2) with modes = 0 only reads; 208 bytes hold `struct timex` on every Linux there is.
    buffer = ctypes.create_string_buffer(208)
    try:
        state = ctypes.CDLL(None, use_errno=True).adjtimex(buffer)
    except (OSError, AttributeError):
        return None
    time_error = 5
    return None if state < 0 else state != time_error


def display_there() -> bool | None:
    """Whether this process sees a screen; None where that cannot be told without opening one."""
    if sys.platform in {"win32", "darwin"}:
        return None
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def is_administrator() -> bool:
    """Whether this process may install a service."""
    if sys.platform == "win32":
        return False
    return os.geteuid() == 0
