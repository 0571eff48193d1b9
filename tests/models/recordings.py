"""Real recorded speech from the data folder beside the project; tests skip in words where it is absent."""

from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import pytest

SPEECH = Path(__file__).resolve().parents[3] / "shared" / "data" / "speech"
LEAST_PEAK = 0.02


def speech_folder() -> Path:
    if not SPEECH.is_dir():
        pytest.skip(f"no recorded speech in {SPEECH}; it is handed out beside the project")
    return SPEECH


def sound(path: Path, rate: int) -> np.ndarray:
    """int16, mono, shape (samples,)."""
    resampler = av.AudioResampler("s16", "mono", rate)
    with av.open(str(path)) as container:
        pieces = [piece for frame in container.decode(audio=0) for piece in resampler.resample(frame)]
    pieces += resampler.resample(None)
    samples = np.concatenate([piece.to_ndarray()[0] for piece in pieces])
    assert np.abs(samples).max() > LEAST_PEAK * 32_768, f"{path} is all but silent"
    return samples


@dataclass(frozen=True)
class Meeting:
    """An excerpt of a meeting and who speaks when, in seconds."""

    path: Path
    spoken: tuple[tuple[float, float], ...]

    def labels(self, hops: int, hop_s: float) -> np.ndarray:
        """Whether anybody speaks in the middle of each hop."""
        middle = (np.arange(hops) + 0.5) * hop_s
        voiced = np.zeros(hops, bool)
        for start, end in self.spoken:
            voiced |= (middle >= start) & (middle < end)
        return voiced


def meetings() -> list[Meeting]:
    folder = speech_folder() / "ami"
    spoken: dict[str, list[tuple[float, float]]] = {}
    for line in (folder / "speakers.rttm").read_text().splitlines():
        fields = line.split()
        start = float(fields[3])
        spoken.setdefault(fields[1], []).append((start, start + float(fields[4])))
    return [
        Meeting(folder / f"{name}.flac", tuple(spans))
        for name, spans in sorted(spoken.items())
        if (folder / f"{name}.flac").exists()
    ]


def teacher_clips() -> list[Path]:
    """One utterance of each teacher."""
    folders = sorted((speech_folder() / "librispeech" / "teachers").iterdir())
    return [min(folder.glob("*.flac")) for folder in folders if folder.is_dir()]
