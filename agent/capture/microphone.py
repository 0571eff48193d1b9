"""Microphones of this machine, through PortAudio."""

import importlib
import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import monotonic_ns
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from agent.capture.frame import BLOCK_SAMPLES, SOUND_RATE_HZ, Block, SourceLost
from agent.capture.pace import NS_A_SECOND

HELD = 50
"""Pieces waiting at most, about one second; the newest is dropped beyond that, and it is told."""
SILENT_S = 1.0
"""A microphone that gives nothing for this long is lost."""
POLL_S = 0.05
TELL_AGAIN_S = 60
BELIEVABLE_S = 1.0
"""Hosts report stamps of many kinds; one further from now than this is not used."""

Piece = tuple[NDArray[np.int16], int]
"""Samples of shape (samples, channels), and when the first was captured."""


@dataclass(frozen=True, slots=True)
class Hearing:
    """One input device as PortAudio names it."""

    index: int
    name: str
    channels: int
    rate_hz: float
    default: bool


class Microphone:
    """One microphone as mono at 48 kHz; `name` is a number, a part of its name, or empty for the default."""

    def __init__(self, name: str, on_trouble: Callable[[str], None] = lambda _words: None) -> None:
        self._name = name
        self._on_trouble = on_trouble
        self._told_ns: int | None = None
        self._used = False

    def blocks(self, stop: threading.Event) -> Iterator[Block]:
        """Yield blocks as the device gives them, with the time at which they were heard.

        Raises:
            SourceLost: no PortAudio, no such microphone, in use, or unplugged.
        """
        portaudio = load()
        if self._used:
            _listed_anew(portaudio)
        self._used = True
        device = chosen(hearings(portaudio), self._name)
        pieces: queue.Queue[Piece] = queue.Queue(HELD)
        stream, rate_hz = self._opened(portaudio, device, pieces)
        try:
            yield from _mono(self._pieces(pieces, stop), rate_hz)
        finally:
            stream.close(ignore_errors=True)

    def _pieces(self, pieces: queue.Queue[Piece], stop: threading.Event) -> Iterator[Piece]:
        heard_ns = monotonic_ns()
        while not stop.is_set():
            try:
                piece = pieces.get(timeout=POLL_S)
            except queue.Empty:
                if monotonic_ns() - heard_ns > SILENT_S * NS_A_SECOND:
                    raise SourceLost(f"mic:{self._name} gives no sound any more; check its cable") from None
                continue
            heard_ns = monotonic_ns()
            yield piece

    def _opened(self, portaudio: Any, device: Hearing, pieces: queue.Queue[Piece]) -> tuple[Any, int]:
        def heard(samples: NDArray[np.int16], count: int, times: Any, status: Any) -> None:
            mono_ns = captured_ns(monotonic_ns(), times.inputBufferAdcTime, times.currentTime, count / rate_hz)
            try:
                pieces.put_nowait((samples.copy(), mono_ns))
            except queue.Full:
                self._tell(monotonic_ns())
            if status.input_overflow:
                self._tell(monotonic_ns())

        # Some drivers know only their own rate, or only stereo; those are converted here.
        tries = ((SOUND_RATE_HZ, 1), (round(device.rate_hz), 1), (round(device.rate_hz), min(2, device.channels)))
        words = ""
        for rate, channels in tries:
            rate_hz = rate
            try:
                stream = portaudio.InputStream(
                    samplerate=rate,
                    blocksize=rate * BLOCK_SAMPLES // SOUND_RATE_HZ,
                    device=device.index,
                    channels=channels,
                    dtype="int16",
                    latency="low",
                    callback=heard,
                )
                stream.start()
            except portaudio.PortAudioError as error:
                words = str(error)
            else:
                return stream, rate
        raise SourceLost(f"the microphone {device.name} cannot be opened ({words}); another program may be using it")

    def _tell(self, now_ns: int) -> None:
        if self._told_ns is None or now_ns - self._told_ns > TELL_AGAIN_S * NS_A_SECOND:
            self._told_ns = now_ns
            self._on_trouble(f"mic:{self._name} lost some sound, this machine is too busy; close other programs")


def captured_ns(now_ns: int, adc_s: float, stream_s: float, length_s: float) -> int:
    """When the first sample of a piece was heard, on the monotonic clock.

    Args:
        now_ns: monotonic time at which the piece was handed over.
        adc_s: time of the first sample on the stream's clock; 0 where the host does not know.
        stream_s: now, on the stream's clock.
        length_s: length of the piece.
    """
    age_s = stream_s - adc_s
    if adc_s <= 0 or not 0 <= age_s < BELIEVABLE_S:
        age_s = length_s
    return now_ns - round(age_s * NS_A_SECOND)


def _mono(pieces: Iterator[Piece], rate_hz: int) -> Iterator[Block]:
    """Pieces of any rate and channel count as mono at 48 kHz; stamps stay true to the first sample."""
    resampler = av.AudioResampler("s16", "mono", SOUND_RATE_HZ) if rate_hz != SOUND_RATE_HZ else None
    for samples, mono_ns in pieces:
        mono = samples[:, 0] if samples.shape[1] == 1 else samples.mean(axis=1).astype(np.int16)
        if resampler is None:
            yield Block(mono, mono_ns)
            continue
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(mono[None, :]), "s16", "mono")
        frame.sample_rate = rate_hz
        for part in resampler.resample(frame):
            yield Block(part.to_ndarray()[0].astype(np.int16, copy=False), mono_ns)


def load() -> Any:
    """PortAudio's module; loaded late, because the import fails on a machine without the library.

    Raises:
        SourceLost: PortAudio is not installed.
    """
    try:
        return importlib.import_module("sounddevice")
    except (ImportError, OSError) as error:
        raise SourceLost(
            f"no microphone can be used, the PortAudio library is missing ({error}); "
            "install it (Debian, Ubuntu: libportaudio2) and start the agent again"
        ) from error


def _listed_anew(portaudio: Any) -> None:
    """Let PortAudio look for devices again; it looks only when it starts, and an unplugged one may be back."""
    portaudio._terminate()  # noqa: SLF001 there is no public way; documented in sounddevice's own notes
    portaudio._initialize()  # noqa: SLF001 as above


def hearings(portaudio: Any) -> list[Hearing]:
    """All input devices.

    Raises:
        SourceLost: the sound system cannot be asked.
    """
    try:
        default = portaudio.default.device[0]
        return [
            Hearing(number, one["name"], one["max_input_channels"], one["default_samplerate"], number == default)
            for number, one in enumerate(portaudio.query_devices())
            if one["max_input_channels"] > 0
        ]
    except portaudio.PortAudioError as error:
        raise SourceLost(f"the sound system cannot be asked for microphones ({error})") from error


def chosen(found: list[Hearing], name: str) -> Hearing:
    """The microphone that `name` means: a number, a part of a name, or the default for nothing.

    Raises:
        SourceLost: there is none, or no such.
    """
    if not found:
        raise SourceLost("this machine has no microphone; plug one in, or name a file for the sound")
    if name.lower() in {"", "default"}:
        return next((one for one in found if one.default), found[0])
    if name.isdigit():
        fits = [one for one in found if one.index == int(name)]
    else:
        fits = [one for one in found if name.lower() in one.name.lower()]
    if not fits:
        known = ", ".join(f"mic:{one.index} ({one.name})" for one in found)
        raise SourceLost(f"there is no microphone mic:{name}; this machine has {known}")
    return fits[0]


def missing_words(name: str) -> str | None:
    """Why the microphone cannot be used, found without opening it; None where it may be."""
    try:
        chosen(hearings(load()), name)
    except SourceLost as lost:
        return str(lost)
    return None
