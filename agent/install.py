"""`tongtang agent install`: puts the service unit and the settings in place on a machine with systemd."""

import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from agent.platform import is_administrator

UNIT = "tongtang-agent.service"
ACCOUNT = "tongtang"
STATE = Path("/var/lib/tongtang")
CONFIG = Path("/etc/tongtang/agent.toml")
UNIT_FOLDER = Path("/etc/systemd/system")


class InstallRefused(Exception):
    """The service cannot be put in place; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Installed:
    """What was done, or would be."""

    did: tuple[str, ...]
    """One sentence a step."""
    next: tuple[str, ...]
    """The commands to go on with."""


def rendered(program: Path, config: Path = CONFIG) -> str:
    """The unit's text, starting `program`.

    Args:
        program: the installed `tongtang` command.
        config: the agent's settings.
    """
    text = resources.files("configs").joinpath(UNIT).read_text(encoding="utf-8")
    line = f"ExecStart={_quoted(program)} agent run --config {_quoted(config)}"
    return re.sub(r"^ExecStart=.*$", lambda _match: line, text, count=1, flags=re.MULTILINE)


def install(prefix: Path = Path("/"), *, dry_run: bool = False, program: Path | None = None) -> Installed:
    """Put unit, settings and account in place; settings that are there already are kept.

    Args:
        prefix: root of the file system to install into; commands of the system run for `/` alone.
        dry_run: only say what would be done.
        program: the `tongtang` command to start; default: the one that runs now.

    Raises:
        InstallRefused: no systemd, not root, or the service's account could not start the program.
    """
    if sys.platform != "linux":
        raise InstallRefused("services are put in place on Linux with systemd only; see docs/platforms.md")
    program = program or _own_program()
    here = prefix == Path("/")
    if here and not dry_run and not is_administrator():
        raise InstallRefused("only root may put a service in place; run: sudo tongtang agent install")
    if here and any(program.is_relative_to(home) for home in ("/root", "/home")):
        raise InstallRefused(
            f"{program} lies in a home folder, which the service may not read; "
            "install Tongtang into /opt/tongtang (python3 -m venv /opt/tongtang) and run its `tongtang agent install`"
        )
    did: list[str] = []
    _place(_under(prefix, UNIT_FOLDER / UNIT), rendered(program), did, dry_run=dry_run)
    config = _under(prefix, CONFIG)
    if config.exists():
        did.append(f"kept the settings {config}")
    else:
        text = resources.files("configs").joinpath("agent.toml").read_text(encoding="utf-8")
        _place(config, text, did, dry_run=dry_run)
    if here:
        for command in _commands():
            did.append(f"ran: {' '.join(command)}")
            if not dry_run:
                _run(command)
    return Installed(tuple(did), _next(program, config))


def _commands() -> list[list[str]]:
    """The system's commands, in order."""
    commands: list[list[str]] = []
    if subprocess.run(["id", ACCOUNT], capture_output=True, check=False).returncode != 0:
        nologin = shutil.which("nologin") or "/usr/sbin/nologin"
        place = ["--home-dir", str(STATE), "--shell", nologin]
        commands.append(["useradd", "--system", "--user-group", "--groups", "video,audio", *place, ACCOUNT])
    commands.append(["install", "-d", "-m", "0700", "-o", ACCOUNT, "-g", ACCOUNT, str(STATE)])
    commands.append(["systemctl", "daemon-reload"])
    return commands


def _next(program: Path, config: Path) -> tuple[str, ...]:
    as_service = f"runuser -u {ACCOUNT} -- env TONGTANG_MODELS={STATE}/models"  # as the unit has it
    return (
        f"edit {config}",
        f"{as_service} {program} models install",
        f"{as_service} {program} agent enrol CODE --hub https://HUB:8080",
        f"{as_service} {program} agent check",
        f"systemctl enable --now {UNIT}",
    )


def _own_program() -> Path:
    beside = Path(sys.executable).parent / "tongtang"
    found = beside if beside.exists() else Path(shutil.which("tongtang") or "")
    if not found.is_file():
        raise InstallRefused("the command `tongtang` is not installed beside this Python; install the wheel first")
    return found.absolute()


def _place(path: Path, text: str, did: list[str], *, dry_run: bool) -> None:
    did.append(f"wrote {path}")
    if dry_run:
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(0o644)
    except OSError as error:
        raise InstallRefused(f"cannot write {path}: {error.strerror}") from error


def _run(command: Sequence[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        raise InstallRefused(f"cannot run {command[0]} ({error.strerror}); is this a system with systemd?") from error
    if done.returncode != 0:
        raise InstallRefused(f"`{' '.join(command)}` failed: {done.stderr.strip() or done.stdout.strip()}")


def _under(prefix: Path, path: Path) -> Path:
    return prefix / path.relative_to("/")


def _quoted(path: Path) -> str:
    """A path as a unit file writes it: % and $ mean something there, and spaces end an argument."""
    text = str(path).replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{text}"' if " " in text else text
