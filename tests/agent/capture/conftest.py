import threading
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from tests.models.weights import models, pytest_runtest_setup

__all__ = ["models", "pytest_runtest_setup"]

REPO = Path(__file__).resolve().parents[3]


@pytest.fixture
def speech() -> Path:
    """A folder with recorded speech; the test says so and is skipped where it is not there."""
    folder = REPO.parent / "shared" / "data" / "speech"
    if not folder.is_dir():
        pytest.skip(f"no recorded speech in {folder}")
    return folder


@pytest.fixture
def stop() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture(autouse=True)
def no_thread_stays() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    left = [one for one in threading.enumerate() if one not in before and one.name.startswith("capture")]
    assert not left, f"threads stay behind: {left}"


def write_media(
    path: Path,
    *,
    seconds: float = 2.0,
    size: tuple[int, int] | None = (320, 180),
    fps: int = 25,
    times: list[float] | None = None,
    tone_hz: float | None = None,
    tone_seconds: float | None = None,
    pulse: bool = False,
    options: dict[str, str] | None = None,
) -> Path:
    """A real file made with PyAV.

    The brightness of picture n is 40 + 2n, so that a test can tell which one it sees. `pulse` makes
    the picture white and the sound loud in the first 0.2 s only, to see whether they stay in step.
    """
    with av.open(str(path), "w", options=options or {}) as container:
        video = audio = None
        if size:
            video = container.add_stream("libx264", rate=fps)
            video.width, video.height = size
            video.pix_fmt = "yuv420p"
            video.codec_context.time_base = video.time_base = Fraction(1, 1000)
            video.options = {"preset": "ultrafast", "crf": "10", "bf": "0"}
        if tone_hz is not None or pulse:
            codec = {".wav": "pcm_s16le", ".flac": "flac", ".mp3": "mp3", ".ogg": "libopus"}.get(path.suffix, "aac")
            audio = container.add_stream(codec, rate=48000, layout="mono")
        if video:
            for n, at in enumerate(times or [n / fps for n in range(round(seconds * fps))]):
                level = (235 if at < 0.2 else 16) if pulse else 40 + 2 * n
                planes = np.full((size[1] * 3 // 2, size[0]), 128, np.uint8)
                planes[: size[1]] = min(level, 235)
                frame = av.VideoFrame.from_ndarray(planes, "yuv420p")
                frame.pts, frame.time_base = round(at * 1000), Fraction(1, 1000)
                container.mux(video.encode(frame))
            container.mux(video.encode(None))
        if audio:
            count = round((tone_seconds or seconds) * 48000)
            time = np.arange(count) / 48000
            wave = 9000 * np.sin(2 * np.pi * (tone_hz or 1000.0) * time)
            if pulse:
                wave[time >= 0.2] = 0
            for at in range(0, count, 1024):
                samples = wave[at : at + 1024].astype(np.int16)[None, :]
                frame = av.AudioFrame.from_ndarray(samples, "s16", "mono")
                frame.sample_rate, frame.pts, frame.time_base = 48000, at, Fraction(1, 48000)
                container.mux(audio.encode(frame))
            container.mux(audio.encode(None))
    return path


def luma(picture: av.VideoFrame) -> np.ndarray:
    return picture.to_ndarray(format="yuv420p")[: picture.height]
