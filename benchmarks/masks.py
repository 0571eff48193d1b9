"""What privacy masks and the face blur cost a picture and the live path, and how many faces are left bare.

python -m benchmarks.masks [--frames N] [--seconds S] [--sequences N]
"""

import argparse
import threading
import time

import numpy as np
import psutil

from agent.area import Area
from agent.capture.faceblur import FaceBlur, faceless
from agent.capture.faces import FaceCover, Look
from agent.capture.frost import frost, grid, small
from agent.capture.masks import Cover
from agent.encode.packet import VideoPacket
from agent.encode.video import VideoEncoder
from benchmarks import faceblur
from benchmarks.picture import FPS, PaintedSource, loop_of_frames, painted
from models.manifest import models_folder

TITLE = "Privacy masks and face blur: what they cost, and which faces stay bare"
SIZES = ((1280, 720), (1920, 1080))
WINDOW: Area = ((0.0, 0.0), (0.25, 0.4))
DOOR: Area = ((0.6, 0.2), (0.95, 0.3), (0.9, 0.9), (0.65, 0.8))
CASES: tuple[tuple[str, tuple[Area, ...]], ...] = (
    ("a rectangle over 10 %", (WINDOW,)),
    ("and a polygon over 17 %", (WINDOW, DOOR)),
)
FRAMES = 500
SECONDS = 60.0
ROUNDS = 6
SETTLE_S = 5.0
"""Until the process that finds faces has begun."""
BITRATE_BPS = 2_000_000
BOXES = np.random.default_rng(1).uniform(0.1, 0.9, (30, 2)).astype(np.float32)
"""Middles of 30 faces."""


def cost_ms(areas: tuple[Area, ...], size: tuple[int, int], frames: int) -> tuple[float, float]:
    """Median and 95th percentile, in CPU ms of this thread a picture."""
    cover = Cover(areas, size)
    pictures = [painted(planes, number) for number, planes in enumerate(loop_of_frames(size)[:10])]
    took = []
    for number in range(frames):
        begin = time.thread_time_ns()
        cover.over(pictures[number % len(pictures)])
        took.append((time.thread_time_ns() - begin) / 1e6)
    return float(np.median(took)), float(np.percentile(took, 95))


def blur_cost_ms(size: tuple[int, int], frames: int) -> tuple[float, float]:
    """The same of the face blur, with 30 faces, by which a quarter of the picture is covered."""
    loop = loop_of_frames(size)[:10]
    cover = FaceCover(grid(size))
    sides = np.asarray([0.03, 0.05], np.float32)
    cover.take(Look(0, small(loop[0], size), np.concatenate([BOXES - sides, BOXES + sides], axis=1)))
    took = []
    for number in range(frames):
        picture = painted(loop[number % len(loop)], number)
        begin = time.thread_time_ns()
        buffer = np.ascontiguousarray(picture.to_ndarray(), np.uint8)
        means = small(buffer, size)
        frost(buffer, means, cover.cells(means, 1))
        took.append((time.thread_time_ns() - begin) / 1e6)
    return float(np.median(took)), float(np.percentile(took, 95))


class Live:
    """A camera of 720p at 25 pictures a second through its encoder; how old each packet is when it leaves."""

    def __init__(self, blur: FaceBlur | None) -> None:
        self.ages_ms: list[float] = []
        self.troubles: list[str] = []
        self.lasted_s = 0.0
        self.finder_s = 0.0
        """CPU of the process that finds faces."""
        self.finder_bytes = 0
        """Its memory."""
        self._blur = blur
        self._begun = threading.Event()

    def go_on(self, seconds: float) -> None:
        """Measure for some more seconds."""
        encoder = VideoEncoder(
            "camera", faceless(PaintedSource(), self._blur, self.troubles.append), BITRATE_BPS, self.troubles.append
        )
        encoder.add_taker(self._take)
        encoder.start()
        time.sleep(SETTLE_S)
        found = [one for one in psutil.Process().children() if any("facechild" in word for word in one.cmdline())]
        before_s = sum(sum(one.cpu_times()[:2]) for one in found)
        self._begun.set()
        time.sleep(seconds)
        self._begun.clear()
        self.lasted_s += seconds
        self.finder_s += sum(sum(one.cpu_times()[:2]) for one in found) - before_s
        self.finder_bytes = max([self.finder_bytes, *(one.memory_info().rss for one in found)])
        encoder.stop()

    def _take(self, packet: VideoPacket) -> None:
        if self._begun.is_set():
            self.ages_ms.append((time.monotonic_ns() - packet.mono_ns) / 1e6)

    def line(self, words: str) -> str:
        """A row of the table."""
        middle, high, highest = np.percentile(self.ages_ms, (50, 95, 99))
        late = sum(age > 1000 / FPS for age in self.ages_ms)
        return f"| {words} | {len(self.ages_ms)} | {middle:.1f} / {high:.1f} / {highest:.1f} | {late} |"


def live(seconds: float) -> list[str]:
    """The encoder's latency with the blur and without, in turn, so that others on the machine weigh on both."""
    off, on = Live(None), Live(FaceBlur(models_folder()))
    for _ in range(ROUNDS):
        for one in (off, on):
            one.go_on(seconds / ROUNDS)
    return [
        "",
        "From capture to packet of a camera of 720p, in ms: median / 95th / 99th percentile.",
        "",
        "| | pictures | ms | over 40 ms |",
        "|---|---|---|---|",
        off.line("without the face blur"),
        on.line("with it"),
        "",
        f"The process that finds faces took {on.finder_s / on.lasted_s:.0%} of a core, at a low priority,",
        f"and {on.finder_bytes >> 20} MiB.",
        *dict.fromkeys(on.troubles),
    ]


def table(frames: int = FRAMES, seconds: float = SECONDS, sequences: int = faceblur.SEQUENCES) -> list[str]:
    lines = [
        f"CPU time of the encoder's thread a picture, median / 95th percentile of {frames}, the copy of the picture",
        "with it. Without a mask the source is handed on as it is, and nothing of this runs.",
        "",
        "| picture | mask | ms a picture |",
        "|---|---|---|",
    ]
    for size in SIZES:
        for words, areas in CASES:
            middle, high = cost_ms(areas, size, frames)
            lines.append(f"| {size[0]}x{size[1]} | {words} | {middle:.2f} / {high:.2f} |")
        middle, high = blur_cost_ms(size, frames)
        lines.append(f"| {size[0]}x{size[1]} | faces blurred, 30 of them | {middle:.2f} / {high:.2f} |")
    return [*lines, *live(seconds), "", *faceblur.table(sequences)]


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--frames", type=int, default=FRAMES)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--sequences", type=int, default=faceblur.SEQUENCES)
    given = parser.parse_args()
    print("\n".join(table(given.frames, given.seconds, given.sequences)))
