"""What a privacy mask costs a picture, on the thread that encodes it.

python -m benchmarks.masks [--frames N]
"""

import argparse
import time

import numpy as np

from agent.area import Area
from agent.capture.masks import Cover
from benchmarks.picture import loop_of_frames, painted

TITLE = "Privacy masks: what one costs a picture"
SIZES = ((1280, 720), (1920, 1080))
WINDOW: Area = ((0.0, 0.0), (0.25, 0.4))
DOOR: Area = ((0.6, 0.2), (0.95, 0.3), (0.9, 0.9), (0.65, 0.8))
CASES: tuple[tuple[str, tuple[Area, ...]], ...] = (
    ("a rectangle over 10 %", (WINDOW,)),
    ("and a polygon over 17 %", (WINDOW, DOOR)),
)
FRAMES = 500


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


def table(frames: int = FRAMES) -> list[str]:
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
    return lines


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--frames", type=int, default=FRAMES)
    print("\n".join(table(parser.parse_args().frames)))
