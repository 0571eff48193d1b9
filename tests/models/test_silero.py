from pathlib import Path

import numpy as np
import pytest

from measures.speech import Turn, TurnBuilder
from models.silero import HOP_S, HOP_SAMPLES, RATE_HZ, SpeechDetector
from tests.models.recordings import meetings, sound, teacher_clips

pytestmark = pytest.mark.models("silero-vad")


def probabilities(models: Path, samples: np.ndarray, piece: int = 3_200) -> np.ndarray:
    detector = SpeechDetector(models)
    wave = samples.astype(np.float32) / 32_768
    return np.concatenate([detector.update(wave[at : at + piece]) for at in range(0, len(wave), piece)])


def turns(heard: np.ndarray) -> list[Turn]:
    builder = TurnBuilder()
    found = [turn for hop, one in enumerate(heard) for turn in builder.update(float(one), hop * HOP_S)]
    return found + builder.flush()


def voiced(found: list[Turn], hops: int) -> np.ndarray:
    middle = (np.arange(hops) + 0.5) * HOP_S
    flags = np.zeros(hops, bool)
    for turn in found:
        flags |= (middle >= turn.start_s) & (middle < turn.end_s)
    return flags


def test_speech_in_far_field_meetings_is_found_where_people_labelled_it(models: Path):
    right = []
    for meeting in meetings():
        heard = probabilities(models, sound(meeting.path, RATE_HZ))
        right.append(float((voiced(turns(heard), len(heard)) == meeting.labels(len(heard), HOP_S)).mean()))
    print("frame accuracy of each meeting:", [round(one, 3) for one in right])
    assert np.mean(right) >= 0.93
    assert min(right) >= 0.85


def test_every_teachers_reading_is_speech(models: Path):
    for clip in teacher_clips():
        samples = sound(clip, RATE_HZ)
        spoken = sum(turn.seconds for turn in turns(probabilities(models, samples)))
        assert spoken >= 0.6 * len(samples) / RATE_HZ, clip.name


def test_silence_and_hum_and_noise_are_not_speech(models: Path):
    at = np.arange(10 * RATE_HZ) / RATE_HZ
    noise = np.random.default_rng(1).normal(0, 300, len(at))
    hum = 2_000 * np.sin(2 * np.pi * 50 * at)
    for name, samples in {"silence": 0 * at, "hum": hum, "noise": noise}.items():
        assert turns(probabilities(models, samples.astype(np.int16))) == [], name


def test_pieces_of_any_length_give_the_same_probabilities(models: Path):
    samples = sound(teacher_clips()[0], RATE_HZ)[: 3 * RATE_HZ]
    whole = probabilities(models, samples, len(samples))
    for piece in (100, 511, 512, 1_601):
        assert np.allclose(probabilities(models, samples, piece), whole, atol=1e-5)


def test_after_a_reset_nothing_is_remembered(models: Path):
    samples = sound(teacher_clips()[0], RATE_HZ)[: 2 * RATE_HZ].astype(np.float32) / 32_768
    detector = SpeechDetector(models)
    first = detector.update(samples)
    detector.update(samples[: HOP_SAMPLES // 2])
    detector.reset()
    assert detector.pending == 0
    assert np.allclose(detector.update(samples), first, atol=1e-6)
