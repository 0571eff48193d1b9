"""The one place of the agent where operating systems differ.

Everything here has a fallback that says so: a machine without systemd, without
`/proc` or without Unix sockets runs the same agent.
"""

import asyncio
import contextlib
import ctypes
import os
import signal
import socket
import struct
import sys
import tempfile
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path

import psutil

SOCKET_PATH_MAX = 100
"""Bytes a Unix socket's path may take here; the system's limit is 107 on Linux and 103 elsewhere."""
MEANINGLESS = frozenset(
    {
        "03000200-0400-0500-0006-000700080009",
        "default string",
        "none",
        "not specified",
        "system serial number",
        "to be filled by o.e.m.",
    }
)
"""What makers leave in the firmware of every board of a series."""
_PR_SET_PDEATHSIG = 1
_SIOCETHTOOL = 0x8946
_ETHTOOL_GPERMADDR = 0x20


Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
"""Serves one client of a local socket."""


def boot_id() -> str:
    """The identity of this boot: the same until the machine restarts, another one after."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        # Boot time wanders by a second or so where it is computed from the wall clock; a minute's grain hides that.
        return f"boot-{round(psutil.boot_time() / 60)}"


def system_id() -> str:
    """What the operating system calls this installation; a copy of the disk carries it along. Empty where unknown."""
    if sys.platform == "win32":
        return _registry_text(r"SOFTWARE\Microsoft\Cryptography", "MachineGuid")
    for path in (Path("/etc/machine-id"), Path("/var/lib/dbus/machine-id")):
        with contextlib.suppress(OSError):
            text = path.read_text(encoding="ascii").strip()
            if text:
                return text
    return ""


def board_id(root: Path = Path("/sys")) -> str:
    """Identity of the main board, as the firmware has it; empty where it has none or this account may not read it."""
    if sys.platform == "win32":
        return smbios_uuid(_firmware_table())
    dmi = root / "class" / "dmi" / "id"
    # Linux lets root alone read the first two; boards with a device tree (arm64) show theirs to everybody.
    for path in (
        dmi / "product_uuid",
        dmi / "board_serial",
        root / "firmware" / "devicetree" / "base" / "serial-number",
    ):
        with contextlib.suppress(OSError, UnicodeDecodeError):
            text = path.read_text(encoding="ascii").strip("\0 \n").lower()
            if text and text not in MEANINGLESS and len(set(text) - {"-"}) > 2:
                return text
    return ""


def built_in_addresses(net: Path = Path("/sys/class/net")) -> tuple[str, ...]:
    """Permanent hardware addresses of the network interfaces that are built in, sorted.

    Not those of USB sticks and docks, which wander between machines, nor of bridges and
    tunnels, which are the same everywhere. Empty where the system does not say (Windows).
    """
    found = set()
    with contextlib.suppress(OSError):
        for one in net.iterdir():
            if (one / "device").exists() and "/usb" not in str((one / "device").resolve()):
                found.add(_permanent_address(one))
    return tuple(sorted(found - {"", "00:00:00:00:00:00"}))


def _permanent_address(interface: Path) -> str:
    """The address that the card came with, also where a made-up one is in use now."""
    if sys.platform != "linux":
        return ""
    # struct ethtool_perm_addr: cmd, size, data; struct ifreq: name, pointer (linux/ethtool.h, net/if.h)
    asked = ctypes.create_string_buffer(struct.pack("II", _ETHTOOL_GPERMADDR, 32), 8 + 32)
    request = struct.pack("16sP8x", interface.name.encode()[:15], ctypes.addressof(asked))
    try:
        import fcntl  # noqa: PLC0415 - POSIX only

        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
            fcntl.ioctl(door, _SIOCETHTOOL, request)
        size = struct.unpack_from("I", asked, 4)[0]
        return asked.raw[8 : 8 + size].hex(":")
    except OSError:
        pass  # no such call for this card: what the kernel lists, where it says that it is the card's own
    with contextlib.suppress(OSError):
        if (interface / "addr_assign_type").read_text(encoding="ascii").strip() == "0":
            return (interface / "address").read_text(encoding="ascii").strip().lower()
    return ""


def smbios_uuid(table: bytes) -> str:
    """The machine's UUID out of the firmware's table; empty where it holds none.

    Args:
        table: the structures of SMBIOS, without a header (DSP0134, section 7.2: structure type 1).
    """
    at = 0
    while at + 4 <= len(table):
        kind, length = table[at], table[at + 1]
        if kind == 1 and length >= 0x19 and at + 0x18 <= len(table):
            raw = table[at + 8 : at + 24]
            return "" if raw in {bytes(16), b"\xff" * 16} else str(uuid.UUID(bytes_le=raw))
        end = table.find(b"\0\0", at + length)  # strings follow, closed by an empty one
        if length < 4 or end < 0:
            break
        at = end + 2
    return ""


def _firmware_table() -> bytes:
    if sys.platform == "win32":
        rsmb, header = 0x52534D42, 8
        ask = ctypes.windll.kernel32.GetSystemFirmwareTable
        size = ask(rsmb, 0, None, 0)
        buffer = ctypes.create_string_buffer(size)
        return buffer.raw[header : ask(rsmb, 0, buffer, size)]
    return b""


def _registry_text(key: str, name: str) -> str:
    if sys.platform == "win32":
        import winreg  # noqa: PLC0415 - Windows only

        with contextlib.suppress(OSError), winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, key) as opened:
            return str(winreg.QueryValueEx(opened, name)[0])
    return ""


def hand_over(path: Path) -> None:
    """Where root has written `path`: give it to the account that owns its folder, which could not read it else."""
    if sys.platform == "win32" or os.geteuid() != 0:
        return
    folder = path.parent.stat()
    os.chown(path, folder.st_uid, folder.st_gid)


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


def lower_priority(niceness: int = 10) -> None:
    """Let the lesson's own threads go first: for analytics and other work that may wait.

    Args:
        niceness: 1 to 19, the more the lower; Windows has one step below the lesson's.
    """
    process = psutil.Process()
    with contextlib.suppress(psutil.Error, OSError):
        if sys.platform == "win32":
            process.nice(psutil.BELOW_NORMAL_PRIORITY_CLASS)
        else:
            process.nice(niceness)


def give_memory_back() -> None:
    """Let the system have what was freed: glibc keeps a good part of what a large piece of work took."""
    if sys.platform.startswith("linux"):
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # other C libraries have no such thing, or no need
        if trim is not None:
            trim(0)


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
        hand_over(Path(name))
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
