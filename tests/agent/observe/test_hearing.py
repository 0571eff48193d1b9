"""The observing process itself, by its pipe: what it makes of a room in which the other room's loudspeaker plays."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from agent.capture.frame import BLOCK_SAMPLES, Block
from agent.observe.feed import BATCH_BLOCKS, Feed, Packer
from agent.observe.view import UNTOLD
from agent.observe.voices_spans import Label
from agent.observe.wire import NO_SLIDE_TEXT, Kind, Message, write_message
from measures.speech import HOP_S
from models.manifest import load_manifest
from tests.lessons.lapel import lapel
from tests.lessons.lesson import Heard, Lesson, lesson
from tests.lessons.recorded import Part
from tests.lessons.script import Room, Style

BLOCK_NS = 20_000_000
START_NS = 7_000_000_000_000


def at_48_khz(sound: np.ndarray) -> np.ndarray:
    """Blocks of 20 ms, shape (blocks, 960)."""
    samples = (np.clip(np.repeat(sound, 3), -1, 1) * 32_767).astype(np.int16)
    return samples[: len(samples) // BLOCK_SAMPLES * BLOCK_SAMPLES].reshape(-1, BLOCK_SAMPLES)


def told(models: Path, heard: Heard, late_ns: int | None, worn: np.ndarray | None = None) -> np.ndarray:
    """What the process says of each hop.

    `late_ns`: error in when the loudspeaker was said to play, None: not said; `worn`: the teacher's microphone.
    """
    feed, packer = Feed({}), Packer()
    command = [sys.executable, "-m", "agent.observe", str(models), UNTOLD.text(), NO_SLIDE_TEXT]
    labels = np.full(len(heard.truth), -1)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            blocks = zip(at_48_khz(heard.sound), at_48_khz(heard.played), strict=True)
            for number, (sound, played) in enumerate(blocks):
                mono_ns = START_NS + number * BLOCK_NS
                if late_ns is not None:
                    feed.offer_played(Block(played, mono_ns + late_ns))
                if worn is not None:
                    feed.offer_teacher(Block(at_48_khz(worn[number * 320 : number * 320 + 320])[0], mono_ns))
                feed.offer_block(Block(sound, mono_ns))
                for item in feed.take(0) if number % BATCH_BLOCKS == BATCH_BLOCKS - 1 else ():
                    write_message(process.stdin, packer.message(item))
            write_message(process.stdin, Message(Kind.STOP, 0))
            lines = [json.loads(line) for line in process.stdout.read().splitlines()]
        finally:
            process.kill()
    for one in lines:
        if one.get("kind") == "voice":
            first = round((one["mono_ns"] - START_NS) / 1e9 / HOP_S)
            labels[max(0, first) : first + round(one["seconds"] / HOP_S)] = Label[one["value"]["voice"].upper()]
    return labels


SECONDS = 75.0


@pytest.fixture(scope="module")
def both() -> Lesson:
    return lesson(Part.REPORT, Style.QUESTIONS, 3, SECONDS)


@pytest.fixture(scope="module")
def far(both: Lesson) -> Heard:
    """A receiving room: most of what is heard in it is the lead teacher, from the loudspeaker."""
    return both.rooms[Room.FAR]


@pytest.mark.parametrize("late_ms", [0, -50, 150])
def test_voices_from_the_loudspeaker_are_nobody_of_this_room(models: Path, far: Heard, late_ms: int):
    labels = told(models, far, late_ms * 1_000_000)
    wrong = float((labels != far.truth).mean())
    print(f"{late_ms} ms: {wrong:.3f} of the frames wrong")
    assert wrong < 0.2


def test_where_nobody_says_what_it_plays_they_are_taken_for_people_of_this_room(models: Path, far: Heard):
    labels = told(models, far, None)
    assert float(((labels > Label.SILENCE) & (far.truth == Label.SILENCE)).mean()) > 0.4


def test_who_speaks_is_told_by_what_the_teacher_wears_without_a_model_of_voices(
    models: Path, tmp_path: Path, both: Lesson
):
    file = load_manifest().find("silero-vad").file
    (tmp_path / file).write_bytes((models / file).read_bytes())
    heard = both.rooms[Room.LEAD]
    labels = told(tmp_path, heard, 0, lapel(Part.REPORT, both, Room.LEAD, 15.0, SECONDS))
    wrong = float((labels != heard.truth).mean())
    print(f"{wrong:.3f} of the frames wrong")
    assert wrong < 0.2
