"""What the teacher's own microphone hears in a synthetic lesson."""

import numpy as np

from tests.lessons.lesson import LOUDSPEAKER_DB, TEACHER_DBFS, Heard, Lesson, _active, _convolved, _noise, _response
from tests.lessons.recorded import RATE_HZ, Part
from tests.lessons.script import Room, Saying, script

CLOSE_DB = 20.0
"""The voice that wears it: direct against reverberant energy."""
LATE_S = (-0.03, 0.03)
"""How much later than the room's microphone it is said to be: two sound cards, two guesses."""
SELF_NOISE_DB = -50.0
"""Of the microphone and its radio, against the voice that wears it."""
GAIN_DB = (-10.0, 6.0)
"""Of the whole channel: nobody sets it to match the room's."""
RUSTLE_S = 20.0
"""Mean time between two touches of the clothes, 0.1 to 0.4 s long and as loud as speech."""


def lapel(part: Part, lesson: Lesson, room: Room, louder_db: float, seconds: float = 300.0) -> np.ndarray:
    """The channel of one room's teacher: float32, 16 kHz, as long as the room's.

    Args:
        part: that the lesson was made of.
        lesson: as `tests.lessons.lesson.lesson` made it.
        room: whose teacher wears it.
        louder_db: how much better it hears the teacher, against the others, the loudspeaker and the noise of
            the room, than the room's microphone does.
        seconds: as the lesson was asked for.
    """
    place = [lesson.seed, list(Part).index(part), list(type(lesson.style)).index(lesson.style)]
    sayings = script(part, lesson.style, seconds, np.random.default_rng(place))
    rng = np.random.default_rng([*place, list(Room).index(room), 7])
    heard = lesson.rooms[room]
    near, leak = _voices([one for one in sayings if one.room is room], heard, rng)
    there = sum(_voices([one for one in sayings if one.room is not room], heard, rng))
    noise = _noise(len(near), rng) * 10 ** ((TEACHER_DBFS - heard.snr_db) / 20)
    leak = leak + noise + _echo(heard, 10 ** ((TEACHER_DBFS + LOUDSPEAKER_DB) / 20) / _active(there), rng)
    own = _noise(len(near), rng) * 10 ** ((TEACHER_DBFS + SELF_NOISE_DB) / 20)
    channel = near + leak * 10 ** (-louder_db / 20) + own + _rustle(len(near), rng)
    return np.clip(_shifted(channel, float(rng.uniform(*LATE_S))) * 10 ** (rng.uniform(*GAIN_DB) / 20), -1, 1).astype(
        np.float32
    )


def _voices(sayings: list[Saying], heard: Heard, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """The teacher close by, and the others as they sound across the room."""
    length = len(heard.sound)
    near, leak = np.zeros(length, np.float32), np.zeros(length, np.float32)
    close = _response(heard.rt60_s, CLOSE_DB, rng)
    for saying in sayings:
        if saying.teacher:
            wet, quieter_db, to = _convolved(saying.clip.samples, close), 0.0, near
        else:
            wet, quieter_db, to = (
                _convolved(saying.clip.samples, _response(heard.rt60_s, -2.0, rng)),
                float(rng.uniform(3, 12)),
                leak,
            )
        wet = wet * 10 ** ((TEACHER_DBFS - quieter_db) / 20) / _active(wet)
        first = round(saying.start_s * RATE_HZ)
        to[first : first + len(wet)] += wet[: max(0, length - first)]
    return near, leak


def _echo(heard: Heard, gain: float, rng: np.random.Generator) -> np.ndarray:
    """The loudspeaker as it arrives at the teacher: as loud as at the room's microphone."""
    return _shifted(_convolved(heard.played, _response(heard.rt60_s, 0.0, rng)) * gain, 0.07)


def _rustle(length: int, rng: np.random.Generator) -> np.ndarray:
    out = np.zeros(length, np.float32)
    at_s = float(rng.exponential(RUSTLE_S))
    while at_s * RATE_HZ < length:
        touch = _noise(round(rng.uniform(0.1, 0.4) * RATE_HZ), rng) * 10 ** (TEACHER_DBFS / 20)
        first = round(at_s * RATE_HZ)
        out[first : first + len(touch)] += touch[: length - first]
        at_s += 0.5 + float(rng.exponential(RUSTLE_S))
    return out


def _shifted(sound: np.ndarray, seconds: float) -> np.ndarray:
    """Later by so much; earlier where it is negative."""
    late = round(seconds * RATE_HZ)
    empty = np.zeros(abs(late), np.float32)
    return np.concatenate([empty, sound[: len(sound) - late]] if late >= 0 else [sound[-late:], empty])
