import numpy as np
import pytest

from agent.observe.voices_label import likeliest
from agent.observe.voices_mixed import KEPT, Mixtures
from agent.observe.voices_teacher import TeacherVoice

SAMPLES = 800
RATE = 16_000


class Spectrum:
    """A stand-in for the encoder: the vector is the spectrum, so that two tones are two directions."""

    def __init__(self) -> None:
        self.windows = 0

    def voices(self, windows: np.ndarray) -> np.ndarray:
        self.windows += len(windows)
        found = np.abs(np.fft.rfft(windows, axis=1))[:, :256]
        return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)


def tones(hz: float, count: int, level: float = 0.1, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    wave = level * np.sin(2 * np.pi * hz * np.arange(SAMPLES) / RATE)
    return (wave + rng.normal(0, level / 20, (count, SAMPLES))).astype(np.float32)


def level_db(windows: np.ndarray) -> np.ndarray:
    return 10 * np.log10(np.square(windows).mean(axis=1))


def taught(*windows: np.ndarray) -> tuple[Mixtures, TeacherVoice, Spectrum]:
    encoder = Spectrum()
    mixtures, teacher = Mixtures(encoder, np.random.default_rng(1)), TeacherVoice()
    for some in windows:
        vectors = encoder.voices(some)
        mixtures.learn(some, vectors, level_db(some))
        teacher.learn(vectors, level_db(some), 5.0, 0.0)
    teacher.settle()
    mixtures.settle(teacher)
    return mixtures, teacher, encoder


def told(mixtures: Mixtures, teacher: TeacherVoice, windows: np.ndarray) -> list[int]:
    scores = mixtures.scores(Spectrum().voices(windows), level_db(windows) - teacher.level_db)
    return scores.argmax(axis=1).tolist()


def test_two_voices_at_once_are_told_though_no_overlap_was_ever_labelled():
    mixtures, teacher, _ = taught(tones(1_000, 100))
    assert mixtures.known
    assert told(mixtures, teacher, tones(1_000, 20, seed=7)) == [0] * 20
    # A pupil of another pitch than any voice that was made of the teacher's, 5 dB under her.
    both = tones(1_000, 20, seed=8) + tones(1_330, 20, 0.056, seed=9)
    assert told(mixtures, teacher, both).count(2) >= 18
    assert (Spectrum().voices(both) @ teacher.centroid >= teacher.border).all(), "by likeness alone it is the teacher"


def test_a_pupil_alone_is_no_mixture():
    mixtures, teacher, _ = taught(tones(1_000, 100), tones(1_700, 20, 0.04))
    assert mixtures.known
    assert told(mixtures, teacher, tones(1_700, 20, 0.04, seed=5)) == [1] * 20


def test_where_no_voice_dominates_or_little_was_heard_nothing_is_said_of_several():
    mixtures, _, _ = taught(tones(1_000, 5))
    assert not mixtures.known
    unknown = Mixtures(Spectrum(), np.random.default_rng(1))
    unknown.settle(TeacherVoice())
    assert not unknown.known


def test_mixtures_become_seldom_and_little_sound_is_kept_however_long_the_lesson():
    mixtures, _, encoder = taught(tones(1_000, 400))
    before = encoder.windows
    many = tones(1_000, 600, seed=3)
    mixtures.learn(many, encoder.voices(many), level_db(many))
    assert encoder.windows - before - 600 <= 600 * 0.3
    assert len(mixtures._sound) == KEPT


@pytest.mark.parametrize(("length", "kept"), [(3, False), (20, True)])
def test_a_slip_of_a_few_hops_is_no_other_voice_and_a_lasting_change_is(length: int, kept: bool):
    scores = np.zeros((60, 3))
    scores[:, 0] = 5.0
    scores[20 : 20 + length] = (0.0, 10.0, 0.0)
    found = likeliest(scores, 50.0)
    assert (found[20 : 20 + length] == 1).all() == kept
    assert (found == 1).sum() == (length if kept else 0)
