"""A bad link: what is frozen and what is not heard at 0 to 10 % loss, and at losses in bursts."""

import os

from benchmarks.chromium import heard_by_chromium
from benchmarks.heard import Heard, heard
from benchmarks.network import Link, NetworkUnavailable, run
from tests.browser.browser import chromium_path

TITLE = "Loss on the link, 20 ms one way"
SECONDS = 8.0
DELAY_MS = 20.0
LINKS = {
    "none": Link(DELAY_MS),
    "1 %": Link(DELAY_MS, loss=0.01),
    "5 %": Link(DELAY_MS, loss=0.05),
    "10 %": Link(DELAY_MS, loss=0.1),
    "5 % in bursts of 8": Link(DELAY_MS, loss=0.05, burst=8),
}
CHROMIUM = "chromium"
SIDES = {"ours": "Tongtang", "stock-alone": "stock aiortc", CHROMIUM: "Tongtang to Chromium"}


def measured(mode: str, link: Link) -> Heard:
    """One run; the same seed for every side, so that the same packets are lost."""
    if mode == CHROMIUM:
        outcome = run("ours", link, SECONDS, receiver=("benchmarks.chromium",))
        return heard_by_chromium(outcome.peers[0], outcome.begin_ns, outcome.end_ns)
    outcome = run(mode, link, SECONDS)
    return heard(outcome.peers[0], outcome.begin_ns, outcome.end_ns)


def table() -> list[str]:
    """Run everything and return the table's lines, in Markdown."""
    lines = [
        f"1280x720, 25 fps, one peer, {SECONDS:.0f} s once joined, random loss in both directions, one run each,",
        "the same seed. Ours sends 2 Mbps of H.264 and records; stock aiortc sends VP8, which it negotiates by",
        "default, at bitrates of its own, and does not record, because it cannot keep real time otherwise.",
        "Frozen: share of the time in gaps of more than 200 ms between decoded pictures. Sound lost: 20 ms blocks",
        "that never came out of the decoder, of a sound whose every block differs from the one before it.",
        "Chromium counts otherwise: pictures as they are presented, which waits for the screen's next 1/60 s, and as",
        "sound lost what it made up itself (concealedSamples over totalSamplesReceived). It speaks too, as rooms do: a",
        "browser that only listens learns no round trip, and asks again for what is missing after 100 ms only.",
        "Goals at 5 %: at most 1 % frozen, at most 1 % of the sound lost.",
        "",
        "| loss | sender and receiver | frozen | longest gap | sound lost | fps | latency p50 / p95 |",
        "|---|---|---|---|---|---|---|",
    ]
    sides = dict(SIDES)
    if chromium_path() is None:
        del sides[CHROMIUM]
        lines.insert(-2, "Chromium is not measured here: there is none on the PATH.")
    try:
        for words, link in LINKS.items():
            for mode, name in sides.items():
                one = measured(mode, link)
                lines.append(
                    f"| {words} | {name} | {one.frozen:.1%} | {one.longest_gap_s * 1000:.0f} ms "
                    f"| {one.sound_lost:.1%} | {one.fps:.1f} | {one.p50_ms} / {one.p95_ms} ms |"
                )
    except NetworkUnavailable as error:
        return [f"Not measured here: {error}."]
    return [*lines, "", f"Load average at the end: {os.getloadavg()[0]:.1f}."]
