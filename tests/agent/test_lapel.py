import threading
import time
import wave
from pathlib import Path

import numpy as np
import pytest

from agent.capture.frame import Block
from agent.capture.spec import SourceRefused
from agent.lapel import Lapel, lapel_source
from tests.agent.observe.rooms import until


@pytest.fixture
def worn(tmp_path: Path) -> Path:
    path = tmp_path / "worn.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(48_000)
        file.writeframes((9_000 * np.sin(np.arange(48_000) / 20)).astype(np.int16).tobytes())
    return path


def test_what_the_teacher_wears_is_read_until_it_is_let_go(worn: Path):
    heard: list[Block] = []
    lapel = Lapel(f"file:{worn}", heard.append, pytest.fail)
    before_ns = time.monotonic_ns()
    lapel.start()
    assert until(lambda: len(heard) >= 60, 20), "a file goes on from its beginning"
    lapel.stop()
    told = len(heard)
    assert not [one for one in threading.enumerate() if one.name == "lapel"]
    time.sleep(0.1)
    assert len(heard) == told
    assert all(np.abs(one.samples).max() > 8_000 for one in heard[1:])
    assert before_ns - 1_000_000_000 < heard[0].mono_ns < time.monotonic_ns()
    assert heard[50].mono_ns - heard[0].mono_ns == pytest.approx(1_000_000_000, abs=1_000_000)


def test_a_microphone_that_is_not_there_is_told_once_and_tried_again(worn: Path):
    told: list[str] = []
    heard: list[Block] = []
    away = worn.with_name("away.wav")
    lapel = Lapel(f"file:{away}", heard.append, told.append)
    lapel.start()
    assert until(lambda: len(told) == 1, 20)
    assert "the voice that speaks most" in told[0]
    worn.rename(away)
    assert until(lambda: len(heard) > 10, 20)
    lapel.stop()
    assert len(told) == 1


@pytest.mark.parametrize("text", ["camera:0", "mic:lapel+screen:0", "rehearsal", "rtsp://10.0.0.8/1", "camera:0+mic:x"])
def test_what_is_no_microphone_is_refused(text: str):
    with pytest.raises(SourceRefused, match="no microphone"):
        lapel_source(text)


def test_a_microphone_is_named_as_in_a_source():
    assert lapel_source("mic:Wireless") is not None


def test_one_that_was_never_opened_is_let_go():
    Lapel("mic:nobody", pytest.fail, pytest.fail).stop()
