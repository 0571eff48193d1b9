"""What differs between operating systems on the hub's side; nothing else may be POSIX-only."""

import ctypes
import getpass
import os
import signal
import subprocess
import sys
from pathlib import Path

_EXEC_TIED = """
import ctypes, os, signal, sys
parent = int(sys.argv[1])
ctypes.CDLL(None, use_errno=True).prctl(1, signal.SIGTERM, 0, 0, 0)
if os.getppid() != parent:
    sys.exit(1)
os.execv(sys.argv[2], sys.argv[2:])
"""
"""Asks the kernel for SIGTERM when the parent dies, then becomes the wanted program."""


TIME_ERROR = 5
"""What adjtimex(2) answers where nothing keeps the clock."""


BEHIND = 10
"""How far behind others a process steps back, of 19 (nice)."""
FILES_WANTED = 65_536
"""Open files that a hub asks the system for: ten districts' devices and room to spare."""


def tied_to_parent(command: list[str]) -> list[str]:
    """`command`, an absolute program and its arguments, so that it ends when this process is killed.

    Only Linux can do this (PR_SET_PDEATHSIG); elsewhere the command is returned as it is and
    whoever starts it must clear up after a crash. A wrapper sets the flag, because code between
    fork and exec is unsafe where there are threads. The flag follows the thread that starts the
    child, so start it from one that lives as long as the process.
    """
    if sys.platform != "linux":
        return command
    return [sys.executable, "-I", "-S", "-c", _EXEC_TIED, str(os.getpid()), *command]


def account() -> str | None:
    """Name of the account we run as, for programs that would change it; None where they cannot."""
    return None if sys.platform == "win32" else getpass.getuser()


def allow_files(wanted: int) -> int:
    """Let this process, and those that it starts from now on, open `wanted` files; how many they may.

    A connection is a file, and many systems begin with 1,024: a broker beyond that accepts nobody any more.
    """
    if sys.platform == "win32":
        return wanted  # sockets are not counted there
    import resource  # noqa: PLC0415  exists on POSIX only

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return wanted
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    return allowed


def step_back() -> None:
    """Have this process work behind whatever else wants the processor."""
    if sys.platform == "win32":
        import psutil  # noqa: PLC0415  needed there only

        psutil.Process().nice(psutil.BELOW_NORMAL_PRIORITY_CLASS)
        return
    os.nice(BEHIND)


def sync_folder(folder: Path) -> None:
    """Make renames and new names in `folder` survive a power cut; on Windows the file system sees to it."""
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def volume_encrypted(folder: Path, sys_root: Path = Path("/sys")) -> bool | None:
    """Whether `folder` lies on a dm-crypt volume, or on one that stands on it; None where it cannot be told.

    Linux names the layers under `/sys/dev/block`; a mapping made by cryptsetup has a `dm/uuid` that begins with CRYPT-.
    """
    if sys.platform != "linux":
        return None
    number = folder.stat().st_dev
    device = sys_root / "dev" / "block" / f"{os.major(number)}:{os.minor(number)}"
    return _on_crypt(device.resolve()) if device.exists() else None


def _on_crypt(device: Path) -> bool:
    uuid = device / "dm" / "uuid"
    if uuid.is_file() and uuid.read_text(encoding="ascii", errors="replace").startswith("CRYPT-"):
        return True
    below = device / "slaves"
    layers = list(below.iterdir()) if below.is_dir() else []
    return any(_on_crypt(layer.resolve()) for layer in layers)


def clock_synchronised() -> bool | None:
    """Whether a time service keeps the system clock, whichever it is; None where that cannot be told."""
    if sys.platform != "linux":
        return None
    # adjtimex(2) with modes = 0 only reads; 208 bytes hold `struct timex` on every Linux there is.
    try:
        state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.create_string_buffer(208))
    except (OSError, AttributeError):
        return None
    return None if state < 0 else state != TIME_ERROR


def read_again(process: subprocess.Popen[bytes]) -> bool:
    """Have a server read its files again by SIGHUP; False where that does not exist and it must be started anew."""
    if sys.platform == "win32":
        return False
    process.send_signal(signal.SIGHUP)
    return True
