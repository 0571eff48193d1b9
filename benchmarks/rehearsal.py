"""A lesson with every part of observing on, and the same lesson beside it with observing off.

python -m benchmarks.rehearsal [--minutes N]

Two rooms with their agents, hub and broker, as the demonstration holds them (demo/), on this one machine. What the
rooms show and say stands in benchmarks.rehearsal_scene. Nothing is written to docs/performance.md this way;
`python -m benchmarks rehearsal` does that.
"""

import argparse
import json
import os
import sys
import tempfile
import threading
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import mean
from typing import Any

import psutil
from rich.console import Console

from benchmarks.load import Load
from benchmarks.rehearsal_room import PAGE_S
from contract.package import QUALITY, TIMELINE
from demo.conduct import Demo
from demo.plan import FPS, make_plan
from demo.show import Show
from demo.summary import RoomSummary, Summary
from models.manifest import load_manifest, models_folder
from models.verify import ModelState, state_of
from tests.models.recordings import SPEECH

TITLE = "A whole lesson observed, and the same one not"
MINUTES = 10.0
GOAL_CPU = 0.25
GOAL_MIB = 450
SAMPLE_S = 0.5
CHECKOUT = Path(__file__).parents[1] / ".weights"
"""Where the tests install the models."""
ON = """
[observe]
board = [[0.0, 0.0], [1.0, 0.35]]
seats = [[0.0, 0.3], [1.0, 1.0]]

[models]
folder = {folder}
"""
OFF = """
[observe]
enabled = false
"""


@dataclass
class Watched:
    """Resident memory of each room's observing processes, as seen from outside, in MiB."""

    samples: dict[str, list[float]] = field(default_factory=dict)
    pids: dict[str, set[int]] = field(default_factory=dict)


@dataclass(frozen=True)
class Held:
    """One lesson."""

    observed: bool
    summary: Summary
    watched: Watched
    figures: dict[str, dict[str, Any]]
    """By room: what its agent last told of observing, and `share`: by part, of one core, over the lesson."""
    kinds: dict[str, Counter[str]]
    """By room: observations by kind."""


class Watch:
    """Looks at the observing processes of all rooms, on a thread of its own."""

    def __init__(self) -> None:
        self.watched = Watched()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Watched:
        self._thread.start()
        return self.watched

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _look(self) -> None:
        me = psutil.Process()
        while not self._stop.wait(SAMPLE_S):
            for process in me.children(recursive=True):
                try:
                    if "agent.observe" not in process.cmdline():
                        continue
                    parent = process.parent()
                    told = parent.cmdline() if parent is not None else []
                    settings = next(one for one in told if one.endswith("agent.toml"))
                    room = Path(settings).parent.name
                    self.watched.samples.setdefault(room, []).append(process.memory_info().rss / 2**20)
                    self.watched.pids.setdefault(room, set()).add(process.pid)
                except (psutil.Error, StopIteration):
                    continue  # it ended meanwhile


def hold(seconds: float, *, observed: bool) -> Held:
    """Hold one lesson of two rooms.

    Raises:
        demo.processes.ChildDied: a process ended by itself.
        demo.hub.HubSilent: the hub does not answer.
    """
    with tempfile.TemporaryDirectory(prefix="tongtang-rehearsal-") as folder, Path(os.devnull).open("w") as nowhere:
        plan = make_plan(Path(folder) / "out", seconds=seconds, rooms=2, lead="rehearsal", receiving="rehearsal")
        plan = replace(plan, more=ON.format(folder=json.dumps(str(weights()))) if observed else OFF)
        held = Demo(plan, "auto", Show(Console(file=nowhere)), "benchmarks.rehearsal_room")
        try:
            with Watch() as watched:
                summary, _ = held.hold()
            figures = {room.room: _figures(Path(room.package)) for room in summary.rooms}
            kinds = {room.room: _kinds(Path(room.package)) for room in summary.rooms}
        finally:
            held.close()
    return Held(observed, summary, watched, figures, kinds)


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []


def _figures(package: Path) -> dict[str, Any]:
    """What a room's agent told of observing; shares of a core from the first line that knows of any to the last."""
    told = [one for one in _lines(package / QUALITY) if one.get("observe", {}).get("cpu_s")]
    if len(told) < 2:
        return {}
    first: dict[str, Any] = told[0]["observe"]
    last: dict[str, Any] = told[-1]["observe"]
    seconds = told[-1]["t"] - told[0]["t"]
    parts = {name: (cpu - first["by_part"].get(name, 0.0)) / seconds for name, cpu in last["by_part"].items()}
    whole = (last["cpu_s"] - first["cpu_s"]) / seconds
    return last | {"share": {"all": whole, **parts, "rest": whole - sum(parts.values())}}


def _kinds(package: Path) -> Counter[str]:
    return Counter(str(one["kind"]) for one in _lines(package / TIMELINE))


def weights() -> Path:
    """The folder of installed models: the checkout's, where the tests put them, or the user's.

    Raises:
        RuntimeError: not all of them are in either.
    """
    for folder in (CHECKOUT, models_folder()):
        if all(state_of(model, folder) is ModelState.RIGHT for model in load_manifest().model):
            return folder
    raise RuntimeError("not all models are installed; run: tongtang models install")


def table(minutes: float = MINUTES) -> list[str]:
    """Run it and return the lines, in Markdown: off for half the time, on, off for half the time."""
    load = Load.begin()
    seconds = minutes * 60
    held = [hold(seconds / 2, observed=False), hold(seconds, observed=True), hold(seconds / 2, observed=False)]
    on = held[1]
    speech = "real speech (LibriSpeech)" if SPEECH.is_dir() else "the rehearsal's synthetic voice"
    return [
        "Two rooms of 720p25 with their agents, hub and broker on this one machine, each room recording and observing:",
        f"32 portraits that lean and nod and one that walks along the board, {speech}, another slide every",
        f"{PAGE_S:.0f} s. Looks: the settings' defaults. The lesson was held for {minutes / 2:g} minutes without",
        f"observing, for {minutes:g} with it, and for {minutes / 2:g} without: what differs between the first and the",
        "last is the machine's noise.",
        f"Goals: at most {GOAL_CPU:.0%} of one core and {GOAL_MIB} MB for each room's observing process, and no effect",
        "on the live path. Shares of one core, from the lesson's first seconds to its last; memory is resident,",
        f"every {SAMPLE_S:g} s, loading included.",
        "",
        *_costs(on),
        "",
        *_live(held),
        "",
        *(f"Observations, {room}: {_counted(one)}." for room, one in on.kinds.items()),
        "",
        load.told(),
    ]


def _costs(on: Held) -> list[str]:
    names = list(dict.fromkeys(name for one in on.figures.values() for name in one.get("share", {})))
    names = [name for name in names if name not in {"all", "rest"}]
    more = ("memory mean / peak", "pictures", "replaced", "processes", "cadence at the end")
    rows = [f"| room | in all | {' | '.join((*names, 'rest', *more))} |", "|---" * (len(names) + 8) + "|"]
    for room, told in on.figures.items():
        share, seen = told.get("share", {}), on.watched.samples.get(room, [0.0])
        cells = [f"{share.get(name, 0.0):.1%}" for name in ("all", *names, "rest")]
        cells += [f"{mean(seen):.0f} / {max(seen):.0f} MiB"]
        cells += [str(told.get(name, "")) for name in ("pictures", "replaced")]
        cells += [str(len(on.watched.pids.get(room, ()))), told.get("cadence", "")]
        rows.append(f"| {room} | {' | '.join(cells)} |")
    return rows


def _counted(kinds: Counter[str]) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())


def _live(held: list[Held]) -> list[str]:
    rows = [
        "| lesson | room | sent of due | recorded of due | not recorded | decoded of the other's | latency p50 / p95 |",
        "|---|---|---|---|---|---|---|",
    ]
    for one in held:
        rows += [_room(one, room) for room in one.summary.rooms]
    return rows


def _room(one: Held, room: RoomSummary) -> str:
    due = round(one.summary.seconds * FPS)
    kept = next((part for part in room.recording if part.track == "camera"), None)
    got = room.received[0] if room.received else None
    sent = next(other.video_frames_sent for other in one.summary.rooms if other is not room)
    age = f"{got.latency_ms.p50:.1f} / {got.latency_ms.p95:.1f} ms" if got and got.latency_ms else "unknown"
    lesson = f"{'observed' if one.observed else 'not observed'}, {one.summary.seconds / 60:g} min"
    recorded = f"{kept.video_frames} of {due} | {kept.dropped_frames}" if kept else "nothing | all"
    decoded = f"{got.video_frames if got else 0} of {sent}"
    return f"| {lesson} | {room.room} | {room.video_frames_sent} of {due} | {recorded} | {decoded} | {age} |"


if __name__ == "__main__":
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--minutes", type=float, default=MINUTES)
    sys.stdout.write("\n".join(table(asked.parse_args().minutes)) + "\n")
