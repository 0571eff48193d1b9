"""Who speaks, by the teacher's own microphone, on the synthetic lessons of benchmarks.lessons.

python -m benchmarks.lapel [--tune] [--lessons N] [--seconds S]: `--tune` uses the other part of the voices.
"""

import argparse
import time
from dataclasses import dataclass

import numpy as np

from agent.observe.voices_near import NearVoices
from benchmarks.lessons import LESSONS, SECONDS, lessons
from benchmarks.lessons import TITLE as LESSONS_TITLE
from benchmarks.listening import BATCH_HOPS, installed
from measures.speech import HOP_S
from models.silero import HOP_SAMPLES, RATE_HZ, SpeechDetector
from tests.lessons.lapel import lapel
from tests.lessons.lesson import Heard
from tests.lessons.recorded import Part
from tests.lessons.script import Room

TITLE = "Who speaks, where the teacher wears a microphone"
LOUDER_DB = (10.0, 15.0, 20.0)
HEAD = (
    "| the teacher is louder there by | frames wrong, both rooms | lead | far "
    "| of the teacher told as a pupil | of pupils told as the teacher |"
)


@dataclass(frozen=True)
class Judged:
    """One room of one lesson."""

    room: Room
    wrong: float
    """Share of the frames with another label than the truth, or none."""
    frames: np.ndarray
    """Truth against told, in shares of all frames; the fifth column is what was not told. Shape (4, 5)."""
    cpu: float
    """CPU-seconds for a second of the room, without speech detection."""


def judged(ear: Heard, room: Room, probabilities: np.ndarray, worn: np.ndarray) -> Judged:
    """Tell voices by what the teacher wears, piece by piece as it would come."""
    near = (np.repeat(worn, 3) * 32_767).astype(np.int16)
    part, spans = NearVoices(None), []
    began = time.process_time()
    for first in range(0, len(probabilities), BATCH_HOPS):
        here = slice(first * HOP_SAMPLES, min(len(probabilities), first + BATCH_HOPS) * HOP_SAMPLES)
        part.near(near[here.start * 3 : here.stop * 3], round(first * HOP_S * 1e9))
        spans += part.update(
            ear.sound[here], probabilities[first : first + BATCH_HOPS], first * HOP_S, ear.played[here]
        )
    spans += part.flush()
    cpu_s = time.process_time() - began
    labels = np.full(len(probabilities), -1)
    for span in spans:
        labels[round(span.start_s / HOP_S) : round((span.start_s + span.seconds) / HOP_S)] = span.label
    truth = ear.truth[: len(labels)]
    frames = np.zeros((4, 5))
    np.add.at(frames, (truth, labels), 1 / len(labels))
    return Judged(room, float((labels != truth).mean()), frames, cpu_s / (len(ear.sound) / RATE_HZ))


def row(louder_db: float, results: list[Judged]) -> str:
    """A line of the table: mean and worst room."""
    told = np.mean([one.frames for one in results], axis=0)
    teacher, student = 1, 2

    def both(some: list[float]) -> str:
        return f"{np.mean(some):.1%} / {max(some):.1%}"

    cells = [
        f"{louder_db:.0f} dB",
        both([one.wrong for one in results]),
        *(both([one.wrong for one in results if one.room is room]) for room in Room),
        f"{told[teacher, student] / told[teacher].sum():.1%}",
        f"{told[student, teacher] / told[student].sum():.1%}",
    ]
    return "| " + " | ".join(cells) + " |"


def table(part: Part = Part.REPORT, count: int = LESSONS, seconds: float = SECONDS) -> list[str]:
    """Run everything and return the table's lines, in Markdown."""
    every: dict[float, list[Judged]] = {louder_db: [] for louder_db in LOUDER_DB}
    for lesson in lessons(part, count, seconds):
        for room, ear in lesson.rooms.items():
            probabilities = SpeechDetector(installed()).update(ear.sound)
            for louder_db, results in every.items():
                worn = lapel(part, lesson, room, louder_db, seconds)
                results.append(judged(ear, room, probabilities, worn))
    several = np.mean([one.frames for results in every.values() for one in results], axis=0)[3]
    cpu = np.mean([one.cpu for results in every.values() for one in results])
    return [
        f"The lessons of *{LESSONS_TITLE}* ({2 * count} of {seconds / 60:.0f} minutes, part `{part}`), frames of",
        "32 ms of each room by itself, before `measures.crosstalk`; what the loudspeaker plays is known. Each room's",
        "teacher wears a microphone that hears her so much better against all else than the room's microphone does",
        "(`tests/lessons/lapel.py`: clothes that rustle, a gain and a delay of its own). The rule's own figures were",
        "chosen on the part `tune`. Mean over the rooms / worst room.",
        "",
        HEAD,
        "|---" * 6 + "|",
        *(row(louder_db, results) for louder_db, results in every.items()),
        "",
        f"No net of voices runs: {cpu:.1%} of a core a room beside speech detection. `several` is not told by it: of",
        f"{several.sum():.1%} of the frames {several[1]:.1%} are told as the teacher and {several[2]:.1%} as a pupil.",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tune", action="store_true")
    parser.add_argument("--lessons", type=int, default=LESSONS)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    asked = parser.parse_args()
    print("\n".join(table(Part.TUNE if asked.tune else Part.REPORT, asked.lessons, asked.seconds)))


if __name__ == "__main__":
    main()
