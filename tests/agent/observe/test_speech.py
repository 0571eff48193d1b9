from pathlib import Path

import numpy as np
import pytest

from agent.observe.decimate import DELAY_S, Decimator
from agent.observe.finding import Finding
from agent.observe.speech import SpeechPart
from measures.speech import Turn, talk_time
from models.silero import SpeechDetector
from tests.models.recordings import meetings, sound, teacher_clips

RATE = 48_000
START_NS = 5_000_000_000_000
pytestmark = pytest.mark.models("silero-vad")


def tone(hz: float, seconds: float = 0.5) -> np.ndarray:
    return (10_000 * np.sin(2 * np.pi * hz * np.arange(round(seconds * RATE)) / RATE)).astype(np.int16)


def heard(part: SpeechPart, samples: np.ndarray, start_ns: int = START_NS, piece: int = 9_600) -> list[Finding]:
    found = []
    for at in range(0, len(samples), piece):
        found += part.update(samples[at : at + piece], start_ns + round(at / RATE * 1e9))
    return found


def turns(found: list[Finding]) -> list[Turn]:
    return [Turn((one.mono_ns - START_NS) / 1e9, one.seconds) for one in found]


def test_a_low_tone_passes_and_one_that_would_fold_back_does_not():
    low, high = Decimator().update(tone(1_000)), Decimator().update(tone(9_000))
    assert np.abs(low[200:]).max() == pytest.approx(10_000 / 32_768, rel=0.02)
    assert np.abs(high[200:]).max() < 0.003 * 10_000 / 32_768


@pytest.mark.parametrize("piece", [1, 2, 500, 960, 1_001])
def test_pieces_of_any_length_give_the_same_sound(piece: int):
    samples = tone(440)
    one = Decimator()
    whole = Decimator().update(samples)
    pieces = np.concatenate([one.update(samples[at : at + piece]) for at in range(0, len(samples), piece)])
    assert np.allclose(pieces, whole, atol=1e-6)
    assert len(whole) == len(samples) // 3


def test_the_delay_is_what_it_says():
    click = np.zeros(4_800, np.int16)
    click[2_400] = 30_000
    assert np.argmax(Decimator().update(click)) / 16_000 - 2_400 / RATE == pytest.approx(DELAY_S, abs=1 / 16_000)


def test_turns_of_a_meeting_lie_where_people_labelled_speech(models: Path):
    meeting = next(one for one in meetings() if one.path.stem == "dev01")
    samples = sound(meeting.path, RATE)
    part = SpeechPart(SpeechDetector(models))
    found = turns(heard(part, samples) + part.flush())
    middle = (np.arange(int(len(samples) / RATE / 0.032)) + 0.5) * 0.032
    voiced = np.zeros(len(middle), bool)
    for turn in found:
        voiced |= (middle >= turn.start_s) & (middle < turn.end_s)
    assert (voiced == meeting.labels(len(middle), 0.032)).mean() >= 0.9


def test_a_hole_in_the_sound_ends_a_turn_and_time_stays_right_after_it(models: Path):
    clip = sound(teacher_clips()[1], RATE)[: 4 * RATE]
    part = SpeechPart(SpeechDetector(models))
    found = heard(part, clip)
    later_ns = START_NS + 60_000_000_000
    found += heard(part, clip, later_ns) + part.flush()
    before = [turn for turn in turns(found) if turn.start_s < 30]
    after = [turn for turn in turns(found) if turn.start_s >= 30]
    assert max(turn.end_s for turn in before) <= 4.05
    assert talk_time(after) == pytest.approx(talk_time(before), abs=0.1)
    assert after[0].start_s - before[0].start_s == pytest.approx(60.0, abs=0.05)


def test_jitter_of_the_sound_card_is_no_hole(models: Path):
    clip = sound(teacher_clips()[1], RATE)[: 3 * RATE]
    part = SpeechPart(SpeechDetector(models))
    rng = np.random.default_rng(1)
    found = []
    for at in range(0, len(clip), 9_600):
        late = int(rng.integers(0, 20_000_000))
        found += part.update(clip[at : at + 9_600], START_NS + round(at / RATE * 1e9) + late)
    steady = SpeechPart(SpeechDetector(models))
    assert len(found + part.flush()) == len(heard(steady, clip) + steady.flush())


def test_silence_has_no_turns(models: Path):
    part = SpeechPart(SpeechDetector(models))
    assert heard(part, np.zeros(5 * RATE, np.int16)) + part.flush() == []
