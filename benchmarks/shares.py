"""One bottleneck for several: two lessons and a TCP download through the same queue; and one lesson beside one."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.call import Call
from benchmarks.heard import Heard, heard
from benchmarks.network import BOTH, SETTLE_S, Link, Network, NetworkUnavailable

TITLE = "Two flows and one TCP download on one bottleneck"
STEP_S = 18.0
SETTLED_S = 3.0
"""Rates, freezes and latency count from so long after each change."""
DELAY_MS = 20.0
QUEUE_S = 0.3
"""What the bottleneck's queue holds, in seconds of its rate."""
PORT = 9100
SPARE_S = 4.0
"""Two calls do not begin at the same moment; each goes on for so long after what is measured."""
SIDES = {"ours": "Tongtang", "stock-alone": "stock aiortc"}
PROBE = [sys.executable, "-m", "tests.faults.network.probe"]
STEPS = ("two flows", "and a download", "the download is gone")


@dataclass(frozen=True)
class Share:
    """What one got of the bottleneck in one step."""

    bps: float
    seen: Heard | None
    """None for a download."""


def download(network: Network, seconds: float) -> float:
    """Let a TCP download go for so long; returns its bits a second."""
    address = network.address("far")
    ear = network.run("far", [*PROBE, "tcp-listen", address, str(PORT)], stdout=subprocess.PIPE, text=True)
    assert ear.stdout is not None
    with ear.stdout:
        ear.stdout.readline()
        network.run("lead", [*PROBE, "tcp-send", address, str(PORT), str(seconds)])
        return [float(line) for line in ear.stdout][-1]


def received_bps(peer: dict[str, Any], begin_ns: int, end_ns: int) -> float:
    """Bits a second that came on the transport between two moments."""
    inside = [one for one in peer["bytes"] if begin_ns <= one[0] < end_ns]
    if len(inside) < 2:
        return 0.0
    (first_ns, first), (last_ns, last) = inside[0], inside[-1]
    return float((last - first) * 8e9 / (last_ns - first_ns))


def run(mode: str, flows: int, rate_bps: int, downloads: Sequence[bool]) -> list[list[Share]]:
    """Let flows of one kind go through one bottleneck, step by step.

    Args:
        mode: the senders: `ours` or `stock-alone`.
        flows: how many.
        rate_bps: of the bottleneck.
        downloads: for each step, whether there is a download beside them.

    Returns:
        For each step the share of each flow, and after them the download's where there was one.

    Raises:
        NetworkUnavailable: this machine cannot hold the network.
    """
    link = Link(DELAY_MS, rate_bps=rate_bps, queue_bytes=round(rate_bps / 8 * QUEUE_S))
    rates: dict[int, float] = {}
    with tempfile.TemporaryDirectory() as root, Network("lead", "far") as network:
        network.shape(BOTH, Link(DELAY_MS))
        folders = [Path(root) / str(number) for number in range(flows)]
        for folder in folders:
            folder.mkdir()
        receiver, seconds = ("benchmarks.shares_room", mode), len(downloads) * STEP_S + SPARE_S
        calls = [Call(network, mode, folder, seconds, receiver) for folder in folders]
        for call in calls:
            call.joined()
        time.sleep(SETTLE_S)
        network.shape(BOTH, link)
        begin_ns = max(call.begun() for call in calls)
        for step, wanted in enumerate(downloads):
            time.sleep(max(0.0, begin_ns / 1e9 + step * STEP_S - time.monotonic()))
            if wanted:
                rates[step] = download(network, STEP_S)
        peers = [call.measured()["peers"][0] for call in calls]
    steps = []
    for step, wanted in enumerate(downloads):
        changed_ns = begin_ns + round(step * STEP_S * 1e9)
        end_ns, settled_ns = changed_ns + round(STEP_S * 1e9), changed_ns + round(SETTLED_S * 1e9)
        shares = [Share(received_bps(peer, settled_ns, end_ns), heard(peer, settled_ns, end_ns)) for peer in peers]
        steps.append([*shares, *([Share(rates[step], None)] if wanted else [])])
    return steps


def rows(step: str, name: str, shares: list[Share], rate_bps: int) -> list[str]:
    """A line for each that had a share."""
    lines = []
    for number, share in enumerate(shares, 1):
        seen, fair = share.seen, share.bps / (rate_bps / len(shares))
        of_fair = f"{share.bps / 1e6:.2f} Mbps | {fair:.0%}"
        if seen is None:
            lines.append(f"| {step} | TCP download | {of_fair} | | | | | |")
            continue
        who = name if len([one for one in shares if one.seen]) == 1 else f"{name} {number}"
        lines.append(
            f"| {step} | {who} | {of_fair} | {seen.fps:.1f} | {seen.frozen:.1%} | {seen.longest_gap_s * 1000:.0f} ms "
            f"| {seen.sound_lost:.1%} | {seen.p50_ms} / {seen.p95_ms} ms |"
        )
    return lines


def table() -> list[str]:
    """Run everything and return the table's lines, in Markdown."""
    lines = [
        f"Two senders behind one bottleneck of 3 Mbps, {DELAY_MS:.0f} ms one way, its queue {QUEUE_S * 1000:.0f} ms;",
        f"{STEP_S:.0f} s a step in the order of the lines, one run each. The download is TCP cubic. Ours sends",
        "1280x720 at up to 2 Mbps each and records; stock aiortc sends VP8 at bitrates of its own and records nothing.",
        "Then one sender and one download on 2 Mbps. Got: bits a second that came, repetitions and RTCP included, and",
        f"what that is of an equal part. All from {SETTLED_S:.0f} s after each change on, but for the download's rate.",
        "Goals: nobody gets less than 30 % of an equal part; at most 1 % of the sound lost.",
        "",
        "| step | who | got | of an equal part | fps | frozen | longest gap | sound lost | latency p50 / p95 |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    try:
        for mode, name in SIDES.items():
            for step, shares in zip(STEPS, run(mode, 2, 3_000_000, (False, True, False)), strict=True):
                lines += rows(step, name, shares, 3_000_000)
        alone = run("ours", 1, 2_000_000, (True,))[0]
        lines += rows("one flow and a download, 2 Mbps", SIDES["ours"], alone, 2_000_000)
    except NetworkUnavailable as error:
        return [f"Not measured here: {error}."]
    return [*lines, "", f"Load average at the end: {os.getloadavg()[0]:.1f}."]
