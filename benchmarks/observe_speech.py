"""Speech against labels: FOLDER/speech, recordings with RTTM beside them."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np

from agent.observe.voices_spans import Label
from benchmarks.listening import installed, listen
from benchmarks.measured import LabelsUnreadable, Measured, over_files
from measures.speech import HOP_S, TurnBuilder
from models.silero import HOP_SAMPLES, RATE_HZ, SpeechDetector

ROLES = {"teacher": Label.TEACHER, "student": Label.STUDENT}


@dataclass(frozen=True)
class Spoken:
    """A line of RTTM: somebody speaks, in seconds."""

    start_s: float
    end_s: float
    speaker: str


def measured(folder: Path) -> list[Measured]:
    """Compare what is heard in FOLDER/speech (and folders in it) with its labels.

    Recordings without labels are left out. Where the only speakers are `teacher` and `student`, the four
    voices are judged; else speech and non-speech.

    Raises:
        LabelsUnreadable: a label file is not RTTM, or there is no recording for any.
    """
    place = folder / "speech"
    labels: dict[str, list[Spoken]] = {}
    for path in sorted(place.rglob("*.rttm")):
        for name, spoken in read_rttm(path).items():
            labels.setdefault(name, []).extend(spoken)
    recordings = [one for ext in ("wav", "flac") for one in sorted(place.rglob(f"*.{ext}")) if one.stem in labels]
    if labels and not recordings:
        named = ", ".join(sorted(labels)[:3])
        raise LabelsUnreadable(f"{place}: there are labels of {named}, and no such recording (WAV or FLAC) beside them")
    told = [(path, labels[path.stem]) for path in recordings]
    plain = [one for one in told if not _has_roles(one[1])]
    roles = [one for one in told if _has_roles(one[1])]
    return [*(_speech(plain) if plain else []), *(_voices(roles) if roles else [])]


def _has_roles(spoken: Sequence[Spoken]) -> bool:
    return {one.speaker for one in spoken} <= set(ROLES)


def read_rttm(path: Path) -> Mapping[str, list[Spoken]]:
    """Who speaks when, by recording.

    Raises:
        LabelsUnreadable: a line is not `SPEAKER name channel start seconds <NA> <NA> speaker ...`.
    """
    out: dict[str, list[Spoken]] = {}
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise LabelsUnreadable(f"{path} cannot be read: {error}; it must be UTF-8 text") from error
    for number, line in enumerate(text.splitlines(), 1):
        fields = line.split()
        if not fields or fields[0] != "SPEAKER":
            continue
        try:
            start_s, seconds = float(fields[3]), float(fields[4])
            out.setdefault(fields[1], []).append(Spoken(start_s, start_s + seconds, fields[7]))
        except (IndexError, ValueError) as error:
            raise LabelsUnreadable(f"{path}, line {number}: not a line of RTTM: {line!r}") from error
    return out


def read_sound(path: Path) -> np.ndarray:
    """A recording as mono at 16 kHz, -1 to 1, shape (samples,).

    Raises:
        LabelsUnreadable: it is no recording, or an empty one.
    """
    resampler = av.AudioResampler("s16", "mono", RATE_HZ)
    try:
        with av.open(str(path)) as container:
            pieces = [piece for frame in container.decode(audio=0) for piece in resampler.resample(frame)]
        pieces += resampler.resample(None)
    except (av.FFmpegError, IndexError, ValueError) as error:
        raise LabelsUnreadable(f"{path} is no recording that can be read ({error}): save it again as WAV") from error
    if sum(piece.samples for piece in pieces) < HOP_SAMPLES:
        raise LabelsUnreadable(f"{path} holds no sound: take it or its labels out")
    return np.concatenate([piece.to_ndarray()[0] for piece in pieces]).astype(np.float32) / 32_768


def speakers(spoken: Sequence[Spoken], hops: int) -> dict[str, np.ndarray]:
    """Whether each speaker speaks in the middle of each hop, shape (hops,) each."""
    middle = (np.arange(hops) + 0.5) * HOP_S
    out: dict[str, np.ndarray] = {}
    for one in spoken:
        line = out.setdefault(one.speaker, np.zeros(hops, bool))
        line |= (middle >= one.start_s) & (middle < one.end_s)
    return out


def _speech(told: Sequence[tuple[Path, list[Spoken]]]) -> list[Measured]:
    rows = []
    cpu_s = seconds = 0.0
    for path, spoken in told:
        sound = read_sound(path)
        began = time.process_time()
        probabilities = SpeechDetector(installed()).update(sound)
        builder = TurnBuilder()
        turns = [one for hop, p in enumerate(probabilities) for one in builder.update(float(p), hop * HOP_S)]
        turns += builder.flush()
        cpu_s += time.process_time() - began
        seconds += len(sound) / RATE_HZ
        hops = len(probabilities)
        ours = [Spoken(turn.start_s, turn.end_s, "") for turn in turns]
        here = _any(speakers(ours, hops), hops)
        there = _any(speakers(spoken, hops), hops)
        rows.append((path.stem, float((here != there).mean()), hops * HOP_S))
    return [over_files("speech", "speech or not: share of the frames that are wrong", rows, cpu_s / seconds)]


def _voices(told: Sequence[tuple[Path, list[Spoken]]]) -> list[Measured]:
    frames, talk = [], []
    cpu_s = seconds = 0.0
    for path, spoken in told:
        heard = listen(read_sound(path))
        hops = len(heard.labels)
        truth = four(speakers(spoken, hops), hops)
        frames.append((path.stem, float((heard.labels != truth).mean()), hops * HOP_S))
        talk.append((path.stem, abs(_ratio(heard.labels) - _ratio(truth)), hops * HOP_S))
        cpu_s += heard.cpu_s
        seconds += heard.seconds
    what = "teacher, student, several, silence: share of the frames that are wrong"
    known = [row for row in talk if np.isfinite(row[1])]
    measured = [over_files("speech", what, frames, cpu_s / seconds)]
    return [*measured, *([over_files("speech", "talk ratio T / (T + S): off by", known)] if known else [])]


def four(spoken: Mapping[str, np.ndarray], hops: int) -> np.ndarray:
    """The `Label` of each hop; two speakers at once are several."""
    out = np.full(hops, Label.SILENCE)
    for speaker, line in spoken.items():
        out[line] = np.where(out[line] == Label.SILENCE, ROLES[speaker], Label.SEVERAL)
    return out


def _any(spoken: Mapping[str, np.ndarray], hops: int) -> np.ndarray:
    return np.any(list(spoken.values()), axis=0) if spoken else np.zeros(hops, bool)


def _ratio(labels: np.ndarray) -> float:
    teacher, student = (int((labels == one).sum()) for one in (Label.TEACHER, Label.STUDENT))
    return teacher / (teacher + student) if teacher + student else float("nan")
