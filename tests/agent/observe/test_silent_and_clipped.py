"""Sound at its two ends, through all that hears: a lesson in which nobody speaks, and one cut off at full scale."""

from pathlib import Path

import numpy as np
import pytest

from agent.observe.child import Parts
from agent.observe.finding import Finding
from agent.observe.level import FLOOR_DBFS
from agent.observe.wire import Kind, Message
from tests.models.recordings import sound, teacher_clips

RATE = 48_000
START_NS = 5_000_000_000_000
PIECE = 9_600


def found_in(models: Path, samples: np.ndarray, worn: np.ndarray | None = None) -> list[Finding]:
    """What the parts find in the room's sound, beside what the teacher wears; all of it well."""
    parts = Parts(models, lambda part, words: pytest.fail(f"{part}: {words}"), slide_text=False)
    found = []
    for at in range(0, len(samples), PIECE):
        mono_ns = START_NS + round(at / RATE * 1e9)
        if worn is not None:
            found += parts.update(Message(Kind.TEACHER, mono_ns, worn[at : at + PIECE].tobytes()))
        found += parts.update(Message(Kind.SOUND, mono_ns, samples[at : at + PIECE].tobytes()))
    return found + parts.flush()


def fan(seconds: float, dbfs: float) -> np.ndarray:
    """Noise that falls with its pitch, as that of fans does."""
    size = round(seconds * RATE)
    spectrum = np.fft.rfft(np.random.default_rng(2).standard_normal(size)) / np.sqrt(
        np.maximum(np.arange(size // 2 + 1), 50)
    )
    noise = np.fft.irfft(spectrum, size)
    return (noise / noise.std() * 10 ** (dbfs / 20) * 32_768).astype(np.int16)


def voices(found: list[Finding]) -> dict[str, float]:
    """Seconds of each voice that is told."""
    out: dict[str, float] = {}
    for one in found:
        if one.kind == "voice":
            out[one.value["voice"]] = out.get(one.value["voice"], 0.0) + one.seconds
    return out


@pytest.mark.parametrize("worn", [False, True])
@pytest.mark.parametrize("dbfs", [None, -60.0, -35.0])
def test_a_lesson_in_which_nobody_speaks_is_silence_from_end_to_end(models: Path, dbfs: float | None, worn: bool):
    samples = np.zeros(90 * RATE, np.int16) if dbfs is None else fan(90, dbfs)
    found = found_in(models, samples, samples // 4 if worn else None)
    assert voices(found) == {"silence": pytest.approx(90, abs=0.2)}, "not unknown, and nobody's"
    assert not [one for one in found if one.kind == "speech"]
    levels = [one.value["dbfs"] for one in found if one.kind == "level"]
    assert len(levels) == 90
    assert np.median(levels) == pytest.approx(FLOOR_DBFS if dbfs is None else dbfs, abs=1.0)
    assert {one.value["clipped"] for one in found if one.kind == "level"} == {0.0}


@pytest.mark.parametrize("over_db", [20.0, 40.0])
def test_speech_that_is_cut_off_at_full_scale_is_still_speech_and_the_level_tells_it(models: Path, over_db: float):
    clip = np.concatenate([sound(one, RATE) for one in teacher_clips()[:4]])[: 40 * RATE].astype(np.float64)
    clean = found_in(models, (clip * 0.25).astype(np.int16))
    loud = np.clip(clip / np.abs(clip).max() * 32_767 * 10 ** (over_db / 20), -32_768, 32_767).astype(np.int16)
    found = found_in(models, loud)
    before, after = (sum(one.seconds for one in told if one.kind == "speech") for told in (clean, found))
    print(f"{over_db:.0f} dB over: {after:.1f} s of turns, {before:.1f} s before")
    assert after == pytest.approx(before, rel=0.15)
    assert sum(length for voice, length in voices(found).items() if voice != "silence") == pytest.approx(after, rel=0.1)
    assert np.mean([one.value["clipped"] for one in found if one.kind == "level"]) > 0.05
    assert max(one.value["clipped"] for one in clean if one.kind == "level") == 0.0
