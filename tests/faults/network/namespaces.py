"""Network namespaces whose names tell whose they are, so that those of dead runs can be removed."""

import contextlib
import fcntl
import os
import re
import shutil
import signal
import struct
import subprocess
from pathlib import Path

TUN = Path("/dev/net/tun")
TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 0x0001, 0x1000
DEVICE = "net0"
"""What the one network device is called in each namespace."""
PREFIX_LENGTH = 24
OWNED = re.compile(r"tt-(\d+)-")


class NetworkUnavailable(Exception):
    """This machine cannot hold the network; the words say why."""


def missing() -> str | None:
    """What this machine lacks, in words; None where it lacks nothing that can be seen beforehand."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return "network namespaces need root"
    if shutil.which("ip") is None:
        return "`ip` (iproute2) is not installed"
    if not TUN.exists():
        return f"this kernel offers no {TUN}"
    return None


def ip(*arguments: str) -> str:
    """Run `ip`.

    Raises:
        NetworkUnavailable: it failed; its own words.
    """
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise NetworkUnavailable(f"`ip {' '.join(arguments)}` failed: {done.stderr.strip()}")
    return done.stdout


def namespace(owner: int, run: int, name: str) -> str:
    """The name of a namespace of the `run`th network of the process `owner`."""
    return f"tt-{owner}-{run}-{name}"


def existing() -> list[str]:
    """Every namespace of ours on this machine, whoever's."""
    return [line.split()[0] for line in ip("netns", "list").splitlines() if OWNED.match(line)]


def remove(space: str) -> None:
    """End what runs in a namespace and remove it; one that is gone already is as good."""
    if space not in existing():
        return
    with contextlib.suppress(NetworkUnavailable):  # another run may remove it at the same time
        for pid in ip("netns", "pids", space).split():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
        ip("netns", "del", space)


def remove_stale() -> None:
    """Remove what runs left behind that were killed together with their impairer."""
    for space in existing():
        found = OWNED.match(space)
        if found and not Path(f"/proc/{found[1]}").exists():
            remove(space)


def open_tun(space: str, address: str, name: str) -> int:
    """Make a namespace with one TUN device of this address.

    Args:
        space: the namespace; must not exist yet.
        address: IPv4, without the prefix length.
        name: what the device is called for the moment in which it is not in the namespace yet; 15 characters.

    Returns:
        The file descriptor of the device, which reads and writes IP packets; closing it removes the device.
    """
    ip("netns", "add", space)
    try:
        device = os.open(TUN, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
    except OSError as error:
        raise NetworkUnavailable(f"{TUN} cannot be used: {error}") from error
    ip("link", "set", name, "netns", space, "name", DEVICE)
    ip("-n", space, "link", "set", "lo", "up")
    # IPv6 would send router solicitations of its own accord, and rooms would offer link-local addresses.
    subprocess.run(
        ["ip", "netns", "exec", space, "sh", "-c", "echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6"],
        capture_output=True,
        check=False,
    )
    ip("-n", space, "addr", "add", f"{address}/{PREFIX_LENGTH}", "dev", DEVICE)
    ip("-n", space, "link", "set", DEVICE, "mtu", "1500", "txqueuelen", "2000", "up")
    return device


def move(space: str, address: str) -> None:
    """Give the device of a namespace another address; the old one is gone."""
    ip("-n", space, "addr", "flush", "dev", DEVICE)
    ip("-n", space, "addr", "add", f"{address}/{PREFIX_LENGTH}", "dev", DEVICE)
