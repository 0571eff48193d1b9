"""A lesson of two rooms as its microphones hear it, with the truth of who speaks."""

import itertools
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from tests.lessons.recorded import RATE_HZ, STEP_SAMPLES, Part
from tests.lessons.script import Room, Saying, Style, script

HOP_SAMPLES = 512
JOIN_S = 1.0
"""Pauses under this within one voice's talk belong to it: the rule of measures.speech (MIN_GAP_S)."""
TEACHER_DBFS = -26.0
LOUDSPEAKER_DB = -10.0
"""The other room's sound in this room's microphone, against this room's teacher."""
LINK_DELAY_S = 0.15
"""From one room's microphone to the other's decoder, echo cancelled on the way."""
PLAY_DELAY_S = (0.02, 0.12)
"""From there to the air."""
SILENCE, TEACHER, STUDENT, SEVERAL = range(4)
CLASSES = ("silence", "teacher", "student", "several")


@dataclass(frozen=True)
class Heard:
    """One room's microphone."""

    sound: np.ndarray
    """float32, 16 kHz, shape (samples,)."""
    played: np.ndarray
    """What the loudspeaker of this room plays: the other room's microphone, delayed."""
    truth: np.ndarray
    """One of the four classes every 32 ms; int8, shape (hops,)."""
    snr_db: float
    rt60_s: float


@dataclass(frozen=True)
class Lesson:
    """Both rooms of one session, on one clock."""

    seed: int
    style: Style
    rooms: dict[Room, Heard]


@lru_cache(maxsize=4)
def lesson(part: Part, style: Style, seed: int, seconds: float = 300.0) -> Lesson:
    """Build a lesson; the same arguments give the same samples."""
    rng = np.random.default_rng([seed, list(Part).index(part), list(Style).index(style)])
    sayings = script(part, style, seconds, rng)
    length = round((max(one.end_s for one in sayings) + 2.0) * RATE_HZ) // HOP_SAMPLES * HOP_SAMPLES
    own = {room: _voices(sayings, room, length, rng) for room in Room}
    snr_db = {room: float(rng.uniform(10, 25)) for room in Room}
    noise = {
        room: _noise(length, rng) * _active(voices) * 10 ** (-snr_db[room] / 20) for room, (voices, _) in own.items()
    }
    rooms = {}
    for room, other in ((Room.LEAD, Room.FAR), (Room.FAR, Room.LEAD)):
        (voices, rt60_s), (there, _) = own[room], own[other]
        played = _later(there + noise[other], LINK_DELAY_S)
        gain = 10 ** ((TEACHER_DBFS + LOUDSPEAKER_DB) / 20) / _active(there)
        echo = _convolved(_later(played, float(rng.uniform(*PLAY_DELAY_S))), _response(rt60_s, 3.0, rng)) * gain
        rooms[room] = Heard(
            sound=(voices + echo + noise[room]).astype(np.float32),
            played=played,
            truth=truth(sayings, room, length // HOP_SAMPLES),
            snr_db=snr_db[room],
            rt60_s=rt60_s,
        )
    return Lesson(seed, style, rooms)


def truth(sayings: list[Saying], room: Room, hops: int) -> np.ndarray:
    """Who of this room speaks in the middle of each hop; the loudspeaker is nobody."""
    voices: dict[str, np.ndarray] = {}
    teacher_of = {}
    for saying in (one for one in sayings if one.room is room):
        line = voices.setdefault(saying.clip.speaker, np.zeros(hops * HOP_SAMPLES // STEP_SAMPLES + 1, bool))
        first = round(saying.start_s * 100)
        line[first : first + len(saying.clip.voiced)] |= saying.clip.voiced[: max(0, len(line) - first)]
        teacher_of[saying.clip.speaker] = saying.teacher
    middle = ((np.arange(hops) + 0.5) * HOP_SAMPLES / STEP_SAMPLES).astype(int)
    spoken = {name: _joined(line, others(voices, name))[middle] for name, line in voices.items()}
    count = np.sum(list(spoken.values()), axis=0) if spoken else np.zeros(hops, int)
    out = np.where(count > 1, SEVERAL, SILENCE).astype(np.int8)
    for name, line in spoken.items():
        out[line & (count == 1)] = TEACHER if teacher_of[name] else STUDENT
    return out


def others(voices: dict[str, np.ndarray], name: str) -> np.ndarray:
    lines = [line for other, line in voices.items() if other != name]
    return np.any(lines, axis=0) if lines else np.zeros_like(voices[name])


def _joined(line: np.ndarray, elsewhere: np.ndarray) -> np.ndarray:
    """Close pauses under a second in which nobody else speaks."""
    out = line.copy()
    voiced = np.flatnonzero(line)
    for before, after in itertools.pairwise(voiced):
        if 1 < after - before <= JOIN_S * 100 and not elsewhere[before:after].any():
            out[before:after] = True
    return out


def _later(sound: np.ndarray, seconds: float) -> np.ndarray:
    late = round(seconds * RATE_HZ)
    return np.concatenate([np.zeros(late, np.float32), sound[: len(sound) - late]]).astype(np.float32)


def _voices(sayings: list[Saying], room: Room, length: int, rng: np.random.Generator) -> tuple[np.ndarray, float]:
    """The voices of a room's own people at its microphone, and its reverberation time."""
    rt60_s = float(rng.uniform(0.4, 0.9))
    near = _response(rt60_s, 6.0, rng)
    out = np.zeros(length, np.float32)
    seats: dict[str, tuple[float, np.ndarray]] = {}
    for saying in (one for one in sayings if one.room is room):
        quieter_db, response = 0.0, near
        if not saying.teacher:
            if saying.clip.speaker not in seats:
                seats[saying.clip.speaker] = (float(rng.uniform(3, 12)), _response(rt60_s, -2.0, rng))
            quieter_db, response = seats[saying.clip.speaker]
        wet = _convolved(saying.clip.samples, response)
        wet *= 10 ** ((TEACHER_DBFS - quieter_db) / 20) / _active(wet)
        first = round(saying.start_s * RATE_HZ)
        out[first : first + len(wet)] += wet[: max(0, length - first)]
    return out, rt60_s


def _response(rt60_s: float, direct_db: float, rng: np.random.Generator) -> np.ndarray:
    """Direct sound and a tail that falls by 60 dB in `rt60_s`; `direct_db`: direct against reverberant energy."""
    samples = round(rt60_s * RATE_HZ)
    tail = rng.standard_normal(samples) * 10 ** (-3 * np.arange(samples) / samples)
    tail[:40] = 0.0
    tail *= 10 ** (-direct_db / 20) / np.sqrt(np.square(tail).sum())
    tail[0] = 1.0
    return tail.astype(np.float32)


def _convolved(samples: np.ndarray, response: np.ndarray) -> np.ndarray:
    """The reverberant sound, as long as the dry one."""
    out = np.zeros(len(samples) + len(response) - 1, np.float32)
    size = 1 << 18
    step = size - len(response) + 1
    spectrum = np.fft.rfft(response, size)
    for first in range(0, len(samples), step):
        part = np.fft.irfft(np.fft.rfft(samples[first : first + step], size) * spectrum, size)
        out[first : first + size] += part[: len(out) - first].astype(np.float32)
    return out[: len(samples)]


def _noise(length: int, rng: np.random.Generator) -> np.ndarray:
    """Pink noise of power 1, as fans and streets are; repeated every 16 s."""
    size = 1 << 18
    spectrum = np.fft.rfft(rng.standard_normal(size)) / np.sqrt(np.maximum(np.arange(size // 2 + 1), 50))
    piece = np.fft.irfft(spectrum, size)
    return np.resize(piece / piece.std(), length).astype(np.float32)


def _active(sound: np.ndarray) -> float:
    """RMS over the 10 ms that hold speech: within 30 dB of the loud ones; a teacher's where nobody speaks."""
    power = np.square(sound[: len(sound) // STEP_SAMPLES * STEP_SAMPLES]).reshape(-1, STEP_SAMPLES).mean(axis=1)
    if not power.any():
        return 10 ** (TEACHER_DBFS / 20)
    loud = np.quantile(power[power > 0], 0.95)
    return float(np.sqrt(power[power > loud * 1e-3].mean()))
