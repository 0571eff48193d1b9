from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from agent.observe.child import Parts
from agent.observe.speech import SpeechPart
from agent.observe.voices import HOP_SAMPLES, VoicesPart
from agent.observe.voices_spans import Label, VoiceSpan
from agent.observe.wire import Kind, Message
from measures.speech import HOP_S
from models.ge2e import VoiceEncoder
from models.manifest import load_manifest
from models.silero import SpeechDetector
from tests.agent.observe.test_speech import START_NS, heard
from tests.lessons.lesson import Heard, lesson
from tests.lessons.recorded import Part, pupils, teachers
from tests.lessons.script import Room, Style
from tests.models.recordings import sound, teacher_clips

RATE = 16_000
pytestmark = pytest.mark.models("silero-vad", "ge2e")


@dataclass
class Tones:
    """A stand-in for the encoder: a voice is its pitch, and two pitches are as unlike as two people."""

    calls: int = 0

    def voices(self, windows: np.ndarray) -> np.ndarray:
        self.calls += len(windows)
        spectrum = np.abs(np.fft.rfft(windows, axis=1))
        out = np.zeros((len(windows), 256), np.float32)
        hz = spectrum.argmax(axis=1) * RATE / windows.shape[1]
        out[np.arange(len(windows)), (hz // 100).astype(int)] = 1.0
        return out


def tone(hz: float, seconds: float, level: float = 0.1) -> np.ndarray:
    hops = round(seconds / HOP_S)
    return (level * np.sin(2 * np.pi * hz * np.arange(hops * HOP_SAMPLES) / RATE)).astype(np.float32)


TEACHER, PUPIL, OTHER = 250.0, 650.0, 1_050.0


def scene(*parts: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Sound and probabilities of (pitch, seconds), one after another; pitch 0 is silence."""
    tones = np.concatenate([tone(hz, seconds) if hz else 0 * tone(1, seconds) for hz, seconds in parts])
    hops = [round(seconds / HOP_S) for _, seconds in parts]
    spoken = np.concatenate([np.full(count, float(hz > 0)) for (hz, _), count in zip(parts, hops, strict=True)])
    return tones, spoken.astype(np.float32)


def fed(part: VoicesPart, wave: np.ndarray, spoken: np.ndarray, start_s: float = 0.0, **more) -> list[VoiceSpan]:
    out = []
    for hop in range(0, len(spoken), 6):
        here = slice(hop * HOP_SAMPLES, (hop + 6) * HOP_SAMPLES)
        played = {name: one[here] for name, one in more.items()}
        out += part.update(wave[here], spoken[hop : hop + 6], start_s + hop * HOP_S, **played)
    return out


def seconds(found: list[VoiceSpan], label: Label) -> float:
    return sum(one.seconds for one in found if one.label is label)


LESSON = ((TEACHER, 30.0), (0, 2.0), (PUPIL, 5.0), (0, 2.0), (TEACHER, 30.0), (0, 2.0), (OTHER, 4.0), (0, 3.0))


def test_the_voice_that_speaks_most_is_the_teacher_and_the_others_are_pupils():
    part = VoicesPart(Tones())
    found = fed(part, *scene(*LESSON)) + part.flush()
    assert seconds(found, Label.TEACHER) == pytest.approx(60, abs=0.5)
    assert seconds(found, Label.STUDENT) == pytest.approx(9, abs=0.5)
    assert seconds(found, Label.SILENCE) == pytest.approx(9, abs=1.0)
    assert all(0 <= one.confidence <= 1 for one in found)


def test_nothing_is_said_of_who_speaks_until_a_minute_of_speech_was_heard():
    part = VoicesPart(Tones())
    tones, spoken = scene(*LESSON)
    early = round(50 / HOP_S)
    before = fed(part, tones[: early * HOP_SAMPLES], spoken[:early])
    assert before == []
    after = fed(part, tones[early * HOP_SAMPLES :], spoken[early:], early * HOP_S)
    assert after[0].start_s == 0.0, "what waited is told with its own times"
    assert after[0].label is Label.TEACHER


def test_silence_before_the_first_word_need_not_wait():
    part = VoicesPart(Tones())
    found = fed(part, *scene((0, 30.0)))
    assert found
    assert {one.label for one in found} == {Label.SILENCE}


def test_a_silent_room_costs_no_embedding():
    encoder = Tones()
    part = VoicesPart(encoder)
    found = fed(part, *scene((0, 60.0))) + part.flush()
    assert encoder.calls == 0
    assert seconds(found, Label.SILENCE) == pytest.approx(60, abs=0.1)


def test_a_lesson_of_no_length_has_no_voices():
    assert VoicesPart(Tones()).flush() == []


def test_the_voice_is_forgotten_when_the_lesson_ends():
    part = VoicesPart(Tones())
    fed(part, *scene(*LESSON))
    part.flush()
    found = fed(part, *scene((PUPIL, 70.0), (0, 2.0), (TEACHER, 5.0), (0, 2.0))) + part.flush()
    assert seconds(found, Label.TEACHER) == pytest.approx(70, abs=0.5), "another lesson, another dominant voice"
    assert seconds(found, Label.STUDENT) == pytest.approx(5, abs=0.5)


def test_a_room_in_which_little_was_said_has_no_teacher():
    part = VoicesPart(Tones())
    found = fed(part, *scene((0, 60.0), (PUPIL, 4.0), (0, 30.0))) + part.flush()
    assert seconds(found, Label.TEACHER) == 0, "one answer is no dominance"
    assert seconds(found, Label.STUDENT) == pytest.approx(4, abs=0.5)


def test_a_teacher_who_says_less_than_a_pupil_but_stands_nearer_is_the_teacher():
    part = VoicesPart(Tones())
    near, spoken = scene((PUPIL, 8.0), (0, 20.0), (TEACHER, 2.0), (0, 20.0), (OTHER, 3.0), (0, 5.0))
    loud = slice(round(27.0 / HOP_S) * HOP_SAMPLES, round(32.0 / HOP_S) * HOP_SAMPLES)
    near[loud] *= 10 ** (7 / 20)
    found = fed(part, near, spoken) + part.flush()
    teacher = [one for one in found if one.label is Label.TEACHER]
    assert [round(one.start_s) for one in teacher] == [28]


def test_a_hole_in_the_sound_is_a_hole_in_the_voices_and_the_teacher_is_known_behind_it():
    part = VoicesPart(Tones())
    found = fed(part, *scene(*LESSON)) + part.hole()
    found += fed(part, *scene((TEACHER, 5.0), (0, 3.0)), start_s=500.0) + part.flush()
    assert not [one for one in found if one.start_s < 500 < one.start_s + one.seconds]
    later = [one for one in found if one.start_s >= 500]
    assert later[0].start_s == 500.0
    assert later[0].label is Label.TEACHER
    assert max(one.start_s + one.seconds for one in found if one.start_s < 500) <= 78.1


def test_the_loudspeaker_is_nobody_of_this_room():
    part = VoicesPart(Tones())
    tones, spoken = scene((TEACHER, 40.0), (0, 2.0), (TEACHER, 30.0), (0, 2.0), (0, 20.0), (0, 2.0))
    far = 0 * tones
    first, pupil = round(74 / HOP_S) * HOP_SAMPLES, tone(PUPIL, 20.0)
    at = slice(first, first + len(pupil))
    far[at] = pupil
    spoken[at.start // HOP_SAMPLES : at.stop // HOP_SAMPLES] = 1.0
    found = fed(part, tones + 0.3 * far, spoken, played=far) + part.flush()
    assert seconds(found, Label.STUDENT) <= 0.5
    part = VoicesPart(Tones())
    found = fed(part, tones + 0.3 * far, spoken) + part.flush()
    assert seconds(found, Label.STUDENT) == pytest.approx(20, abs=1.0), "where nobody says what it plays, it is a voice"


# The real models on synthetic lessons of the part that nobody tuned on. Bounds lie well above what was measured:
# they say that it works, the benchmark says how well.


def error(models: Path, heard: Heard) -> tuple[float, np.ndarray]:
    spoken = SpeechDetector(models).update(heard.sound)
    part = VoicesPart(VoiceEncoder(models))
    found = fed(part, heard.sound, spoken, played=heard.played) + part.flush()
    labels = np.full(len(heard.truth), -1)
    for one in found:
        labels[round(one.start_s / HOP_S) : round((one.start_s + one.seconds) / HOP_S)] = one.label
    return float((labels != heard.truth).mean()), labels


def test_who_speaks_is_told_in_both_rooms_of_a_lesson_with_voices_never_heard_before(models: Path):
    rooms = lesson(Part.REPORT, Style.QUESTIONS, 1, 180.0).rooms
    for room in Room:
        wrong, labels = error(models, rooms[room])
        print(f"{room}: {wrong:.3f} of the frames wrong")
        assert wrong < 0.2
        assert (labels >= 0).all(), "every moment is told"


def test_the_lesson_is_the_same_for_the_same_seed_and_another_for_another():
    one, other = (lesson.__wrapped__(Part.TUNE, Style.LECTURE, 5, 30.0).rooms[Room.LEAD] for _ in range(2))
    assert np.array_equal(one.sound, other.sound)
    assert np.array_equal(one.truth, other.truth)
    assert not np.array_equal(
        one.sound, lesson(Part.TUNE, Style.LECTURE, 6, 30.0).rooms[Room.LEAD].sound[: len(one.sound)]
    )


def test_no_voice_is_heard_both_while_tuning_and_in_what_is_reported():
    def names(part: Part) -> set[str]:
        return {clip.speaker for clip in [*pupils(part), *(clip for voice in teachers(part) for clip in voice)]}

    assert not names(Part.TUNE) & names(Part.REPORT)


def test_voices_lie_where_the_sound_was_in_time(models: Path):
    clip = sound(teacher_clips()[1], 48_000)[: 6 * 48_000]
    silence = np.zeros(3 * 48_000, np.int16)
    part = SpeechPart(SpeechDetector(models), VoicesPart(VoiceEncoder(models)))
    found = heard(part, np.concatenate([silence, clip, silence])) + part.flush()
    spoken = [one for one in found if one.kind == "voice" and one.value["voice"] != "silence"]
    assert (spoken[0].mono_ns - START_NS) / 1e9 == pytest.approx(3.0, abs=1.0)
    turns = sum(one.seconds for one in found if one.kind == "speech")
    assert sum(one.seconds for one in spoken) == pytest.approx(turns, abs=0.5)
    assert all(one.confidence is not None for one in spoken)


def parts_of(folder: Path, samples: np.ndarray) -> tuple[list[str], dict[str, str], list]:
    """Kinds found in sound at 48 kHz, troubles by part, and the findings."""
    troubles: dict[str, str] = {}
    parts = Parts(folder, troubles.__setitem__, slide_text=False)
    found = []
    for at in range(0, len(samples), 9_600):
        message = Message(Kind.SOUND, START_NS + round(at / 48_000 * 1e9), samples[at : at + 9_600].tobytes())
        found += parts.update(message)
    found += parts.flush()
    return sorted({one.kind for one in found}), troubles, found


def test_without_its_model_nobody_is_told_who_speaks_and_speech_is_still_found(models: Path, tmp_path: Path):
    for name, keep in (("silero-vad", None), ("ge2e", 1 << 20)):
        file = load_manifest().find(name).file
        (tmp_path / file).write_bytes((models / file).read_bytes()[:keep])
    clip = sound(teacher_clips()[1], 48_000)[: 5 * 48_000]
    kinds, troubles, _ = parts_of(tmp_path, clip)
    assert kinds == ["level", "speech"]
    assert "who speaks is not told" in troubles["voices"]
    assert "corrupt" in troubles["voices"]
    assert "tongtang models install" in troubles["voices"]


def test_sound_that_is_cut_off_at_full_scale_is_still_somebody_who_speaks(models: Path):
    clip = sound(teacher_clips()[1], 48_000)[: 5 * 48_000].astype(np.float64)
    loud = np.clip(clip * 32_767 / np.abs(clip).max() * 8, -32_768, 32_767).astype(np.int16)
    kinds, _, found = parts_of(models, loud)
    assert kinds == ["level", "speech", "voice"]
    assert max(one.value["clipped"] for one in found if one.kind == "level") > 0.01
    spoken = sum(one.seconds for one in found if one.kind == "voice" and one.value["voice"] != "silence")
    assert spoken > 2.5
