"""How long a room takes to join a lesson that is under way: offer to first picture and first sound."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.join_room import STAGES
from benchmarks.network import BOTH, Link, Network, NetworkUnavailable
from benchmarks.wire import HOST, percentile

TITLE = "Joining a lesson that is under way"
JOINS = 21
PATIENCE_S = 180.0
DELAY_MS = 5.0
GOAL_MS = 150
SIDES = {"ours": "Tongtang", "stock-alone": "stock aiortc"}

Start = Callable[[str, list[str]], subprocess.Popen[str]]
"""Starts a process of the `lead` or the `far` room."""


@contextlib.contextmanager
def loopback() -> Iterator[Start]:
    """Both rooms on this machine, without anything between them."""
    running: list[subprocess.Popen[str]] = []

    def start(name: str, command: list[str]) -> subprocess.Popen[str]:
        del name
        process = subprocess.Popen([*command, "--host", HOST], stdout=subprocess.PIPE, text=True)
        running.append(process)
        return process

    try:
        yield start
    finally:
        for process in running:
            process.kill()
            process.wait()


@contextlib.contextmanager
def away() -> Iterator[Start]:
    """The rooms in networks of their own, `DELAY_MS` apart."""
    with Network("lead", "far") as network:
        network.shape(BOTH, Link(DELAY_MS))
        yield lambda name, command: network.run(name, command, stdout=subprocess.PIPE, text=True)


def joins(mode: str, start: Start, *, busy: bool = False) -> list[dict[str, float]]:
    """The ms of each stage of each join.

    Raises:
        RuntimeError: a room ended early.
    """
    with tempfile.TemporaryDirectory() as folder:
        socket = str(Path(folder) / "signals")
        lead = [sys.executable, "-m", "benchmarks.join_lead", mode, socket, folder, *(["--busy"] if busy else [])]
        teaching = start("lead", lead)
        if teaching.stdout is None or teaching.stdout.readline() != "teaching\n":
            raise RuntimeError("the lead room did not begin to teach")
        joining = start("far", [sys.executable, "-m", "benchmarks.join_room", mode, socket, "--joins", str(JOINS)])
        said, _ = joining.communicate(timeout=PATIENCE_S)
        if joining.returncode:
            raise RuntimeError("the joining room failed; its words are on standard error")
        with contextlib.suppress(subprocess.TimeoutExpired):
            teaching.wait(20)
    found: list[dict[str, float]] = json.loads(said.splitlines()[-1])
    return found


def row(link: str, name: str, found: list[dict[str, float]]) -> str:
    """One line of the table."""
    pictures, sounds = ([one[stage] for one in found[1:]] for stage in ("picture", "sound"))
    first_ms = round(found[0]["picture"])
    middles = " / ".join(f"{median(one[stage] for one in found[1:]):.0f}" for stage in STAGES)
    return (
        f"| {link} | {name} | {first_ms} ms | {percentile(pictures, 0.5)} / {percentile(pictures, 0.95)} ms "
        f"| {percentile(sounds, 0.5)} / {percentile(sounds, 0.95)} ms | {middles} |"
    )


def table() -> list[str]:
    """Run everything and return the table's lines, in Markdown."""
    lines = [
        f"From the beginning of the offer to the first decoded picture and sound, {JOINS} joins one after another, at",
        "different moments between two pictures. The lead room sends and records 1280x720 at 25 fps and 2 Mbps; stock",
        "aiortc sends VP8 at bitrates of its own and records nothing. Offer and answer go from process to process,",
        "without a hub between them. Keyframes come at most every 300 ms, whoever asks: in the line with other rooms",
        "in need, one of those asks all the time.",
        f"Goal: at most {GOAL_MS} ms p95 on a local network. Stages: median ms until the offer is made / the answer is",
        "there / ICE / DTLS / first sound / first picture. The first join of a program takes longer and stands alone.",
        "",
        "| link | rooms | picture, first join | picture p50 / p95 | sound p50 / p95 | stages |",
        "|---|---|---|---|---|---|",
    ]
    lines += [row("loopback", name, _on(loopback, mode)) for mode, name in SIDES.items()]
    lines.append(row("loopback", "Tongtang, other rooms in need", _on(loopback, "ours", busy=True)))
    try:
        lines += [row(f"{DELAY_MS:g} ms one way", name, _on(away, mode)) for mode, name in SIDES.items()]
    except NetworkUnavailable as error:
        lines += ["", f"With {DELAY_MS:g} ms one way it was not measured here: {error}."]
    return [*lines, "", f"Load average at the end: {os.getloadavg()[0]:.1f}."]


def _on(link: Any, mode: str, *, busy: bool = False) -> list[dict[str, float]]:
    with link() as start:
        return joins(mode, start, busy=busy)
