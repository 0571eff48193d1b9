"""A link that shrinks in mid-lesson: from 4 Mbps to 1 Mbps, to 300 kbps, and back."""

import os
import time
from itertools import pairwise
from typing import Any

from benchmarks.heard import FREEZE_S, Heard, heard
from benchmarks.network import BOTH, Link, Network, NetworkUnavailable, Outcome, run

TITLE = "A link that is capped in mid-lesson and opened again"
STEP_S = 15.0
DELAY_MS = 20.0
QUEUE_S = 0.3
"""What the bottleneck's queue holds, in seconds of its rate."""
SETTLED_S = 3.0
"""Freezes count from so long after each change."""
STEPS_BPS = (4_000_000, 1_000_000, 300_000, 4_000_000)
SIDES = {"ours": "Tongtang", "stock-alone": "stock aiortc"}
BACK_FPS = 20


def link(rate_bps: int) -> Link:
    """A bottleneck of this rate."""
    return Link(DELAY_MS, rate_bps=rate_bps, queue_bytes=max(6_000, round(rate_bps / 8 * QUEUE_S)))


def step_through(network: Network, begin_s: float) -> None:
    """Change the rate at each step's time."""
    for index, rate_bps in enumerate(STEPS_BPS[1:], 1):
        time.sleep(max(0.0, begin_s + index * STEP_S - time.monotonic()))
        network.shape(BOTH, link(rate_bps))


def recovered_s(peer: dict[str, Any], begin_ns: int, end_ns: int) -> float | None:
    """How long after `begin_ns` pictures flow for good: no gap over `FREEZE_S`, and 20 or more in the next second."""
    times = [at for at, _ in peer["pictures"] if begin_ns <= at < end_ns]
    last_gap = max((later for earlier, later in pairwise([begin_ns, *times]) if later - earlier > FREEZE_S * 1e9),
                   default=begin_ns)  # fmt: skip
    for index, at in enumerate(times):
        if at >= last_gap and index + BACK_FPS <= len(times) and times[index + BACK_FPS - 1] - at <= 1e9:
            return (at - begin_ns) / 1e9
    return None


def rows(name: str, outcome: Outcome) -> list[str]:
    """A line a step."""
    lines = []
    peer = outcome.peers[0]
    for index, rate_bps in enumerate(STEPS_BPS):
        begin_ns = outcome.begin_ns + round(index * STEP_S * 1e9)
        end_ns = begin_ns + round(STEP_S * 1e9)
        whole = heard(peer, begin_ns, end_ns)
        settled: Heard = heard(peer, begin_ns + round(SETTLED_S * 1e9), end_ns)
        back = recovered_s(peer, begin_ns, end_ns)
        lines.append(
            f"| {rate_bps / 1e6:g} Mbps | {name} | {settled.fps:.1f} | {settled.frozen:.1%} "
            f"| {settled.longest_gap_s * 1000:.0f} ms | {'never' if back is None else f'{back:.1f} s'} "
            f"| {whole.sound_lost:.1%} | {settled.p50_ms} / {settled.p95_ms} ms |"
        )
    return lines


def table() -> list[str]:
    """Run everything and return the table's lines, in Markdown."""
    lines = [
        f"1280x720, 25 fps, one peer, {DELAY_MS:.0f} ms one way, {STEP_S:.0f} s a step in the order of the lines,",
        f"a queue of {QUEUE_S * 1000:.0f} ms, one run each. Ours records 2 Mbps H.264 throughout; stock aiortc sends",
        "VP8 at bitrates of its own and records nothing. fps, frozen, longest gap and latency from",
        f"{SETTLED_S:.0f} s after the change on; sound from the change on. Back: until no gap over 200 ms follows and",
        f"{BACK_FPS} pictures come in a second.",
        "Goals: at 1 Mbps 20 fps or more and no freeze over 0.5 s; at 300 kbps the sound whole.",
        "",
        "| link | sender and receiver | fps | frozen | longest gap | back after | sound lost | latency p50 / p95 |",
        "|---|---|---|---|---|---|---|---|",
    ]
    recordings = []
    try:
        for mode, name in SIDES.items():
            outcome = run(mode, link(STEPS_BPS[0]), len(STEPS_BPS) * STEP_S, step_through)
            lines += rows(name, outcome)
            if outcome.recording is not None:
                recordings.append(("capped", outcome.recording))
        free = run("ours", link(STEPS_BPS[0]), len(STEPS_BPS) * STEP_S)
    except NetworkUnavailable as error:
        return [f"Not measured here: {error}."]
    if free.recording is not None:
        recordings.append(("never capped", free.recording))
    lines += ["", "| our recording | fps | PSNR (luma) | bitrate |", "|---|---|---|---|"]
    lines += [f"| {words} | {one.fps:.2f} | {one.psnr_db:.2f} dB | {one.kbps:.0f} kbps |" for words, one in recordings]
    return [*lines, "", f"Load average at the end: {os.getloadavg()[0]:.1f}."]
