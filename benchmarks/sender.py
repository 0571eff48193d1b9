"""Sender CPU and added latency: one camera recorded and sent to N rooms; ours, stock aiortc, GStreamer, a floor."""

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.gstreamer import SYSTEM_PYTHON, TALKS, missing
from benchmarks.heard import AGE_MAX_MS, heard
from benchmarks.picture import FPS, loop_of_frames
from benchmarks.tones import COUNT, tone
from benchmarks.wire import HOST, percentile

TITLE = "Sending one camera: recorded, and delivered to every peer"
SECONDS = 10.0
PATIENCE_S = 90.0
NAMES = {"floor": "floor", "stock": "stock aiortc", "gstreamer": "GStreamer webrtcbin", "ours": "Tongtang"}
STOCK_GOALS = {1: 1 / 7, 3: 1 / 14}
GSTREAMER_GOALS = {1: 1.0, 3: 0.95}
FLOOR_GOAL = 1.5
NEEDED = (*TALKS, "x264enc", "h264parse", "rtph264pay", "opusenc", "mp4mux", "multifilesrc", "rawaudioparse")


@dataclass(frozen=True)
class Case:
    """One picture, sent to so many peers."""

    peers: int
    size: tuple[int, int]
    bitrate_bps: int
    rounds: int
    stock_pace: float
    """Frames a second of wall time for the stock sender: one core cannot hold 25, so it gets them more slowly."""

    @property
    def modes(self) -> tuple[str, ...]:
        """What is run; the floor sends to nobody, and is run once a size."""
        return tuple(mode for mode in NAMES if mode != "floor" or self.peers == 1)

    @property
    def words(self) -> str:
        return f"{self.size[1]}p, {self.bitrate_bps / 1e6:g} Mbps"


HD, FULL_HD = (1280, 720), (1920, 1080)
CASES = (
    Case(1, HD, 2_000_000, rounds=3, stock_pace=8.0),
    Case(3, HD, 2_000_000, rounds=3, stock_pace=4.0),
    Case(8, HD, 2_000_000, rounds=1, stock_pace=2.0),
    Case(1, FULL_HD, 4_000_000, rounds=1, stock_pace=4.0),
    Case(3, FULL_HD, 4_000_000, rounds=1, stock_pace=2.0),
)


@dataclass(frozen=True)
class Run:
    """One run of one sender."""

    cpu_s_per_25: float | None
    fps: float
    p50_ms: float | None = None
    p95_ms: float | None = None
    width: int | None = None
    """Of the pictures that came last; None where nobody received."""


def command(mode: str, case: Case, socket: str, folder: str, frames: Path) -> list[str]:
    """The sending process's arguments."""
    size = "x".join(str(side) for side in case.size)
    if mode == "gstreamer":
        script = str(Path(__file__).with_name("gstreamer_sender.py"))
        told = [str(one) for one in (case.peers, SECONDS, size, case.bitrate_bps)]
        return [SYSTEM_PYTHON, script, socket, str(frames), folder, *told]
    pace = case.stock_pace if mode == "stock" else FPS
    options = ["--peers", case.peers, "--pace", pace, "--seconds", SECONDS, "--size", size]
    options += ["--bitrate", case.bitrate_bps, "--host", HOST]
    return [sys.executable, "-m", "benchmarks.room_sender", mode, socket, folder, *(str(one) for one in options)]


def floor(case: Case) -> Run:
    """The floor for one size: no peer, no recording."""
    size = "x".join(str(side) for side in case.size)
    options = ["--seconds", str(SECONDS), "--size", size, "--bitrate", str(case.bitrate_bps)]
    found = _told([sys.executable, "-m", "benchmarks.floor", *options])
    seconds = (found["end_ns"] - found["begin_ns"]) / 1e9
    return Run(found["cpu_s"] / found["frames"] * 25, found["frames"] / seconds)


def run(mode: str, case: Case, frames: Path) -> Run:
    """Run a sending and a receiving process side by side; GStreamer sends to our receiver."""
    if mode == "floor":
        return floor(case)
    host = [] if mode == "gstreamer" else ["--host", HOST]
    with tempfile.TemporaryDirectory() as folder:
        socket = f"{folder}/signals"
        for index in range(COUNT):
            Path(folder, f"tone{index:02}.raw").write_bytes(tone(index).tobytes())
        heard_by = "stock" if mode == "stock" else "ours"
        options = ["--peers", str(case.peers), "--painted-width", str(case.size[0]), *host]
        receiver = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.room_receiver", heard_by, socket, *options],
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert receiver.stdout is not None
            receiver.stdout.readline()
            found = _told(command(mode, case, socket, folder, frames))
        finally:
            receiver.kill()
            receiver.wait()
    peers = found["peers"]
    stretches = [heard(peer, found["begin_ns"], found["end_ns"]) for peer in peers]
    frames_each = min(one.frames for one in stretches)
    ages = [age for peer in peers for at, age in peer["pictures"] if found["begin_ns"] <= at < found["end_ns"]]
    readable = [age for age in ages if age < AGE_MAX_MS]
    told = len(readable) > len(ages) / 2
    return Run(
        found["cpu_s"] / frames_each * 25 if frames_each else None,
        frames_each / stretches[0].seconds,
        percentile(readable, 0.5) if told else None,
        percentile(readable, 0.95) if told else None,
        min(peer["width"] for peer in peers),
    )


def _told(sender: list[str]) -> dict:  # type: ignore[type-arg]
    """What a sending process says at its end.

    Raises:
        RuntimeError: it ended early; its last words.
    """
    done = subprocess.run(sender, capture_output=True, text=True, timeout=SECONDS + PATIENCE_S, check=False)
    lines = [line for line in done.stdout.splitlines() if line.startswith('{"begin_ns"')]
    if not lines or "cpu_s" not in lines[-1]:
        raise RuntimeError(f"the sender ended early:\n{done.stderr[-2000:]}")
    return json.loads(lines[-1])


def best(runs: list[Run]) -> Run:
    """The run that the machine's other work disturbed least: the one with the least CPU for a frame."""
    return min(runs, key=lambda one: one.cpu_s_per_25 or 1e9)


def table() -> list[str]:
    """Run everything and return the table's lines, in Markdown."""
    lacking = missing(NEEDED)
    lines = [
        f"25 fps, sound, recording; {SECONDS:.0f} s after warm-up; best of {CASES[0].rounds} alternating runs,",
        "one run of each for 8 peers and for 1080p.",
        "CPU: cpu-seconds of the sending process for 25 frames that were encoded, recorded and decoded by every peer.",
        "The stock sender cannot hold 25 fps on these cores; it gets the same frames at a slower pace, given as fps,",
        "and its latency is that of the slower pace. GStreamer encodes once as well (x264 superfast zerolatency, tee,",
        "mp4mux), of the same pictures and sound, and sends to our receiver. Floor: the same painted and encoded in",
        "one process, and nothing sent or kept. At 1080p ours says H.264 level 3.1 in the SDP as for 720p, and the",
        "stream itself says 4.0: our rooms, which look at the stream alone, decode it.",
    ]
    if lacking:
        lines.append(f"GStreamer was not measured: {lacking}.")
    lines += [
        "",
        "| camera | peers | sender | CPU / 25 frames | ours to it | goal | delivered fps | latency p50 / p95 |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for size in dict.fromkeys(case.size for case in CASES):
        with tempfile.NamedTemporaryFile(suffix=".yuv") as frames:
            if not lacking:
                for picture in loop_of_frames(size):
                    frames.write(picture.tobytes())
                frames.flush()
            for case in CASES:
                if case.size == size:
                    lines += _rows(case, measured(case, Path(frames.name), lacking=bool(lacking)))
    return lines


def measured(case: Case, frames: Path, *, lacking: bool) -> dict[str, Run]:
    """The best run of every sender, by its mode."""
    runs: dict[str, list[Run]] = {mode: [] for mode in case.modes if mode != "gstreamer" or not lacking}
    for _ in range(case.rounds):
        for mode, done in runs.items():
            done.append(run(mode, case, frames))
    return {mode: best(done) for mode, done in runs.items()}


def _rows(case: Case, runs: dict[str, Run]) -> list[str]:
    ours = runs["ours"].cpu_s_per_25
    rows = []
    for mode, one in runs.items():
        ratio = ""
        if mode != "ours" and ours and one.cpu_s_per_25:
            share = ours / one.cpu_s_per_25
            ratio = f"1/{1 / share:.1f}" if mode == "stock" else f"{share:.2f}"
        cpu = f"{one.cpu_s_per_25:.3f}" if one.cpu_s_per_25 else "nothing arrived"
        rows.append(
            f"| {case.words} | {case.peers} | {NAMES[mode]} | {cpu} | {ratio} | {_goal(mode, case.peers)} "
            f"| {one.fps:.1f} | {_latency(one, case)} |"
        )
    return rows


def _goal(mode: str, peers: int) -> str:
    if mode == "stock" and peers in STOCK_GOALS:
        return f"at most 1/{1 / STOCK_GOALS[peers]:.0f}"
    if mode == "gstreamer" and peers in GSTREAMER_GOALS:
        return f"at most {GSTREAMER_GOALS[peers]}"
    return f"at most {FLOOR_GOAL}" if mode == "floor" else ""


def _latency(one: Run, case: Case) -> str:
    if one.width is None:
        return ""
    words = "not readable" if one.p50_ms is None else f"{one.p50_ms} / {one.p95_ms} ms"
    return words if one.width == case.size[0] else f"{words}, a picture of {one.width} pixels across"
