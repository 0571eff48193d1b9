"""Small recordings in the form of a lesson package: fragmented MP4, H.264 and Opus, a picture that tells its time."""

import functools
import io
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

FPS = 25
RATE = 48_000
BLOCK = 960


def record(path: Path, seconds: float, words: str, colour: tuple[int, int, int], *, sound_hz: float | None) -> None:
    """Write `seconds` of a moving figure that shows its own time; with a tone where `sound_hz` is given."""
    path.write_bytes(_made(seconds, words, colour, sound_hz))


@functools.cache  # each test has a lesson of its own, with the same recordings
def _made(seconds: float, words: str, colour: tuple[int, int, int], sound_hz: float | None) -> bytes:
    made = io.BytesIO()
    options = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}
    with av.open(made, "w", format="mp4", options=options) as file:
        video = file.add_stream("libx264", rate=FPS, options={"preset": "ultrafast", "tune": "zerolatency", "g": "12"})
        video.width, video.height, video.pix_fmt = 640, 360, "yuv420p"
        audio = file.add_stream("libopus", rate=RATE) if sound_hz else None
        for number in range(round(seconds * FPS)):
            frame = av.VideoFrame.from_ndarray(_picture(number / FPS, words, colour), format="bgr24")
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            file.mux(video.encode(frame))
            if audio is not None:
                for block in range(number * 2, number * 2 + 2):
                    file.mux(audio.encode(_tone(block, sound_hz)))
        file.mux(video.encode(None))
        if audio is not None:
            file.mux(audio.encode(None))
    return made.getvalue()


def _picture(t: float, words: str, colour: tuple[int, int, int]) -> np.ndarray:
    picture = np.full((360, 640, 3), colour, np.uint8)
    cv2.circle(picture, (int(320 + 200 * np.sin(t)), 210), 46, (240, 240, 240), -1, cv2.LINE_AA)
    cv2.putText(picture, f"{words} {t:05.2f}", (24, 64), cv2.FONT_HERSHEY_SIMPLEX, 1.4, (255, 255, 255), 3, cv2.LINE_AA)
    return picture


def _tone(block: int, hz: float) -> av.AudioFrame:
    t = (np.arange(BLOCK) + block * BLOCK) / RATE
    samples = (np.sin(2 * np.pi * hz * t) * 3000).astype(np.int16)[np.newaxis]
    frame = av.AudioFrame.from_ndarray(np.repeat(samples, 2, 1).reshape(1, -1), format="s16", layout="stereo")
    frame.sample_rate, frame.pts, frame.time_base = RATE, block * BLOCK, Fraction(1, RATE)
    return frame
