"""A process that records a lesson in real time with the agent's own recorder, until it is killed.

    python -m tests.faults.record_lesson ROOT SECONDS

Prints the session times of camera and slides pictures as the recorder takes them.
"""

import sys
import threading
import time
from pathlib import Path

from agent.record.recorder import LessonRecorder
from agent.record.store import FolderStore
from agent.record.writer import Needs
from tests.agent.record.packets import Camera, Microphone, order, standpoint


def tell(line):
    """One write a line: two threads tell."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main(root: Path, seconds: float) -> None:
    begin = time.monotonic_ns() + 200_000_000
    store = FolderStore(root)
    one = order(seconds)
    package = store.draft(one, one.rooms[0], standpoint("boot-1", begin))
    needs = Needs(store.free_bytes, lambda track: None, lambda words: tell(f"trouble {words}"), reserve_bytes=0)
    recorder = LessonRecorder(
        package,
        tracks={"camera": 25, "slides": 5},
        sound=True,
        begin_mono_ns=begin,
        end_mono_ns=begin + round(seconds * 1e9),
        needs=needs,
    )
    recorder.start()

    def video(track, take, fps):
        made = Camera(fps=fps)
        for index in range(round(seconds * fps)):
            at = begin + round(index / fps * 1e9)
            time.sleep(max(0.0, (at - time.monotonic_ns()) / 1e9))
            take(made.packet(index / fps, at))
            tell(f"{track} {index / fps}")

    def sound():
        made = Microphone()
        for index in range(round(seconds * 50)):
            at = begin + index * 20_000_000
            time.sleep(max(0.0, (at - time.monotonic_ns()) / 1e9))
            recorder.sound(made.packet(at))

    def samples():
        while True:
            recorder.quality({"mono_ns": time.monotonic_ns()})
            time.sleep(0.5)

    runs = [
        threading.Thread(target=video, args=("camera", recorder.camera, 25)),
        threading.Thread(target=video, args=("slides", recorder.slides, 5)),
        threading.Thread(target=sound),
        threading.Thread(target=samples, daemon=True),
    ]
    for run in runs:
        run.start()


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]))
