"""What the demonstration will do: rooms, sizes, folders and settings files."""

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import psutil

FPS = 25
FULL = (1280, 720)
SMALL = (640, 360)
FULL_BPS = 2_000_000
SMALL_BPS = 600_000
ROOMS_A_CORE = 1.5
"""Rooms at 1280x720 that one core carries, all of them being on this one machine."""
SCHOOLS = ("石桥教学点", "白塔教学点", "云岭教学点")
"""Where the first receiving rooms are; further ones are numbered."""
MARKER = ".tongtang-demo"
PREVIOUS = "previous"


class PlanRefused(Exception):
    """The demonstration cannot begin; the message says what to do."""


@dataclass(frozen=True)
class DemoRoom:
    """One room of the demonstration."""

    room: str
    role: str
    name: str
    school: str
    source: str
    folder: Path

    @property
    def device(self) -> str:
        """Its device."""
        return f"{self.room}-screen"

    @property
    def settings_file(self) -> Path:
        """Its agent's settings."""
        return self.folder / "agent.toml"


@dataclass(frozen=True)
class DemoPlan:
    """The whole demonstration."""

    out: Path
    seconds: float
    rooms: tuple[DemoRoom, ...]
    video: tuple[int, int]
    video_bps: int
    words: tuple[str, ...]
    """What the user should know before it begins."""
    more: str = ""
    """Further tables of each room's agent.toml."""

    @property
    def hub_folder(self) -> Path:
        """The hub's data."""
        return self.out / "hub"

    @property
    def hub_settings(self) -> Path:
        """The hub's settings."""
        return self.out / "hub.toml"


def make_plan(
    out: Path, *, seconds: float, rooms: int, lead: str, receiving: str, cores: int | None = None
) -> DemoPlan:
    """Decide what will be done.

    Args:
        out: folder for everything.
        seconds: length of the lesson, in seconds.
        rooms: number of rooms, the lead room among them.
        lead: the lead room's source.
        receiving: the receiving rooms' source.
        cores: processors of this machine.
    """
    carried = int((cores or os.cpu_count() or 1) * ROOMS_A_CORE)
    small = rooms > carried
    words = (
        (f"{rooms} rooms on this machine's {cores or os.cpu_count()} cores: pictures are 640x360 instead of 1280x720",)
        if small
        else ()
    )
    made = [DemoRoom("lead", "lead", "城关实验小学 录播教室", "城关实验小学", lead, out / "lead")]
    for index in range(1, rooms):
        room, school = f"receiving-{index}", SCHOOLS[index - 1] if index <= len(SCHOOLS) else f"第{index}教学点"
        made.append(DemoRoom(room, "receiving", f"{school} 三年级", school, receiving, out / room))
    return DemoPlan(
        out.resolve(), seconds, tuple(made), SMALL if small else FULL, SMALL_BPS if small else FULL_BPS, words
    )


def prepare(plan: DemoPlan, broker: str) -> None:
    """Make the folders and settings files; an earlier demonstration in the folder moves to `previous`.

    Raises:
        PlanRefused: the folder holds something that is not a demonstration's, or cannot be written.
    """
    out = plan.out
    try:
        _clear(out)
        (out / "logs").mkdir()
        for room in plan.rooms:
            room.folder.mkdir(parents=True)
            room.settings_file.write_text(agent_settings(room) + plan.more, encoding="utf-8")
        plan.hub_settings.write_text(hub_settings(plan, broker), encoding="utf-8")
    except OSError as error:
        raise PlanRefused(
            f"cannot write to {out}: {error.strerror or error}; choose another folder with --out"
        ) from error


def _clear(out: Path) -> None:
    if out.exists() and not out.is_dir():
        raise PlanRefused(f"{out} is a file; choose a folder with --out")
    out.mkdir(parents=True, exist_ok=True)
    if _runs(out):
        raise PlanRefused(f"a demonstration is running in {out}; end it first, or choose another folder with --out")
    inside = [path for path in out.iterdir() if path.name not in (MARKER, PREVIOUS)]
    if inside and not (out / MARKER).exists():
        raise PlanRefused(f"{out} holds other files; choose an empty folder with --out")
    (out / MARKER).touch()
    if inside:
        previous = out / PREVIOUS
        shutil.rmtree(previous, ignore_errors=True)
        previous.mkdir()
        for path in inside:
            path.rename(previous / path.name)


def _runs(out: Path) -> bool:
    """Whether the hub of an earlier demonstration still runs: it takes its file away when it ends."""
    try:
        pid = json.loads((out / "hub" / "hub.json").read_text(encoding="utf-8"))["pid"]
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return isinstance(pid, int) and psutil.pid_exists(pid)


def agent_settings(room: DemoRoom) -> str:
    """`agent.toml` of one room."""
    return f"""# Written by `tongtang demo`.
[agent]
state = "state"
device = "{room.device}"
room = "{room.room}"

[hub]
keepalive_s = 5
retry_cap_s = 2

[sources]
source = {_quoted(room.source)}
loudspeaker = "none"

[media]
addresses = ["127.0.0.1"]

[record]
min_free_bytes = 200_000_000

[report]
health_s = 1
ledger = true
"""


def hub_settings(plan: DemoPlan, broker: str) -> str:
    """`hub.toml`."""
    return f"""# Written by `tongtang demo`.
data = {_quoted(str(plan.hub_folder))}
broker = {_quoted(broker)}

[http]
host = "127.0.0.1"
port = 0

[mqtt]
host = "127.0.0.1"
port = 0
tls = false
"""


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
