"""The recognising process itself, with the real engine on a tiny model: what is told, and what never is."""

import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from agent.capture.frame import BLOCK_SAMPLES, Block
from agent.observe import words
from agent.observe.observer import Observer
from agent.observe.words import Words
from tests.agent.observe.rooms import until
from tests.models.recognisers import hum, write_recogniser

pytest.importorskip("sherpa_onnx", reason="sherpa-onnx is not installed (the extra asr)")
SECOND = 1_000_000_000
START = 50 * SECOND


class Told:
    def __init__(self) -> None:
        self.found: list[dict] = []
        self.troubles: list[tuple[str, str]] = []

    def part(self, manifest: Path) -> Words:
        return Words(manifest, tell=self.found.append, trouble=lambda about, said: self.troubles.append((about, said)))


def feed(part: Words, sound: np.ndarray, start_ns: int = START) -> None:
    """Sound at 48 kHz, -1 to 1, in blocks of 20 ms."""
    samples = np.round(sound * 32_767).astype(np.int16)
    for number in range(len(samples) // BLOCK_SAMPLES):
        here = samples[number * BLOCK_SAMPLES : (number + 1) * BLOCK_SAMPLES]
        part.feed_block(Block(here, start_ns + number * 20_000_000))


LOW_HIGH = np.concatenate([hum(200, 4, 48_000), hum(6_000, 4, 48_000)])


def test_words_are_told_of_the_stretches_that_are_asked_for_and_of_no_others(tmp_path: Path):
    told = Told()
    part = told.part(write_recogniser(tmp_path))
    part.start()
    feed(part, LOW_HIGH)
    part.feed_teacher(START + SECOND, 2.0)
    part.feed_teacher(START + 5 * SECOND, 2.0)
    part.feed_teacher(START + 2 * SECOND, 0.5)
    part.stop(60)
    part.stop(60)
    assert told.troubles == []
    assert [one["value"]["text"] for one in told.found] == ["你", "好"]
    first = told.found[0]
    assert (first["kind"], first["mono_ns"], first["seconds"]) == ("words", START + SECOND, 2.0)
    assert first["value"] == {"text": "你", "language": "zh", "engine": "sherpa-onnx/tiny"}
    assert first["confidence"] is None


def test_a_long_stretch_is_told_in_pieces_and_one_whose_sound_is_gone_is_told_as_lost(tmp_path: Path):
    told = Told()
    part = told.part(write_recogniser(tmp_path))
    part.start()
    feed(part, np.concatenate([hum(200, 15, 48_000), hum(6_000, 15, 48_000)]))
    part.feed_teacher(START, 30.0)
    part.feed_teacher(START - 100 * SECOND, 5.0)
    part.stop(60)
    assert [(one["value"]["text"], one["seconds"]) for one in told.found] == [("你", 15.0), ("好", 15.0)]
    ((about, said),) = told.troubles
    assert about == "words-lost"
    assert "1 pieces of the teacher's voice were not recognised" in said


def test_a_recogniser_that_is_not_what_its_manifest_names_is_told_and_the_rest_goes_on(tmp_path: Path):
    told = Told()
    manifest = write_recogniser(tmp_path)
    (tmp_path / "tiny.onnx").write_bytes(b"something else")
    part = told.part(manifest)
    part.start()
    assert until(lambda: bool(told.troubles), 60)
    feed(part, LOW_HIGH)
    part.feed_teacher(START, 2.0)
    part.stop(60)
    ((about, said),) = told.troubles
    assert about == "words"
    assert said.startswith("words are not told: the recogniser's file")
    assert told.found == []


def test_one_that_needs_more_memory_than_its_manifest_allows_ends_and_says_so(tmp_path: Path):
    told = Told()
    part = told.part(write_recogniser(tmp_path, memory_mb=64))
    part.start()
    assert until(lambda: bool(told.troubles), 60)
    part.stop(60)
    assert "MB, more than the 64 MB of its manifest" in told.troubles[0][1]


def test_a_killed_process_is_told_once_and_nothing_waits_for_it(tmp_path: Path):
    told = Told()
    part = told.part(write_recogniser(tmp_path))
    part.start()
    assert until(lambda: part.pid is not None, 60)
    psutil.Process(part.pid).kill()
    assert until(lambda: bool(told.troubles), 60)
    feed(part, LOW_HIGH)
    part.feed_teacher(START, 2.0)
    part.stop(60)
    ((_, said),) = told.troubles
    assert "the recognising process ended by itself" in said


@pytest.mark.skipif(sys.platform == "win32", reason="a process is frozen with SIGSTOP, which Windows lacks")
def test_one_that_hangs_holds_nothing_up_and_what_waits_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(words, "WAITING_MOST", 20)
    told = Told()
    part = told.part(write_recogniser(tmp_path))
    part.start()
    assert until(lambda: part.pid is not None, 60)
    psutil.Process(part.pid).suspend()
    longest = 0.0
    for _ in range(4):
        before = time.monotonic()
        feed(part, LOW_HIGH)
        longest = max(longest, time.monotonic() - before)
    assert longest < 5, "a full pipe would have held it for ever"
    assert part.dropped > 0
    part.stop(0.5)
    assert not psutil.pid_exists(part.pid) or psutil.Process(part.pid).status() == psutil.STATUS_ZOMBIE
    assert [about for about, _ in told.troubles] == ["words-end", "words-lost"]


def test_an_observer_asks_for_the_teachers_stretches_alone_and_tells_words_beside_the_rest(tmp_path: Path):
    """With what the observing process would say of who speaks handed in; it is not started."""
    seen, troubles = [], []
    one = Observer(
        tmp_path / "no-models",
        on_observation=seen.append,
        on_trouble=troubles.append,
        session_t=lambda mono_ns: mono_ns / 1e9 - 50,
        boot="b",
        recogniser=write_recogniser(tmp_path),
    )
    part = one._words
    part.start()
    feed(part, LOW_HIGH)
    for at, voice in ((0, "teacher"), (2, "student"), (4, "several"), (6, "silence")):
        told = {"what": "finding", "kind": "voice", "mono_ns": START + at * SECOND, "seconds": 2.0, "confidence": 0.9}
        one._take(told | {"value": {"voice": voice}})
    part.stop(60)
    assert troubles == []
    assert [(line.t, line.seconds, line.value["text"]) for line in seen if line.kind == "words"] == [(0.0, 2.0, "你")]
    assert [line.value["voice"] for line in seen if line.kind == "voice"] == [
        "teacher",
        "student",
        "several",
        "silence",
    ]


def test_without_a_recogniser_there_is_no_process_and_no_thread_for_words(tmp_path: Path):
    told = {"on_observation": print, "on_trouble": print, "session_t": float, "boot": "b"}
    assert Observer(tmp_path, **told)._words is None
    assert Observer(tmp_path, **told, recogniser=tmp_path / "recogniser.toml", words=False)._words is None
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("observe.words")]


def test_by_hand_a_wrong_manifest_is_told_as_a_line(tmp_path: Path):
    command = [sys.executable, "-m", "agent.observe.recognise", str(tmp_path / "none.toml")]
    done = subprocess.run(command, input=b"", capture_output=True, timeout=100, check=False)
    assert done.returncode == 1
    assert b'"what": "trouble"' in done.stdout
    assert b"correct observe.recogniser" in done.stdout
