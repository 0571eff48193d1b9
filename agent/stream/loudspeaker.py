"""The other rooms' sound in this room: a small mixer, and the machine's loudspeaker behind it."""

import importlib
import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from agent.capture.frame import BLOCK_SAMPLES, SOUND_RATE_HZ

log = logging.getLogger(__name__)

AHEAD_SAMPLES = 3 * BLOCK_SAMPLES
"""A room is heard once this much of it waits: 60 ms against the jitter of the network."""
MOST_SAMPLES = 10 * BLOCK_SAMPLES
"""More than 200 ms may not wait: the oldest sound is dropped, so that the rooms stay together."""


class Mixer:
    """Mixes the sound of several rooms. Thread-safe; `put` and `take` return at once."""

    def __init__(self) -> None:
        self.dropped_samples = 0
        """Samples dropped because a room ran ahead of the loudspeaker."""
        self._lock = threading.Lock()
        self._waiting: dict[str, deque[NDArray[np.int16]]] = {}
        self._playing: set[str] = set()

    def put(self, room: str, samples: NDArray[np.int16]) -> None:
        """Add sound of a room, shape (samples,), 48 kHz."""
        with self._lock:
            queue = self._waiting.setdefault(room, deque())
            queue.append(samples)
            while _length(queue) > MOST_SAMPLES:
                self.dropped_samples += len(queue.popleft())
            if _length(queue) >= AHEAD_SAMPLES:
                self._playing.add(room)

    def take(self, count: int) -> NDArray[np.int16]:
        """The next `count` samples of all rooms together; silence where nothing waits."""
        mixed = np.zeros(count, np.int32)
        with self._lock:
            for room in sorted(self._playing):
                taken = _taken(self._waiting[room], count)
                mixed[: len(taken)] += taken
                if len(taken) < count:
                    self._playing.discard(room)  # it ran dry: gather some before it is heard again
        return np.clip(mixed, -32768, 32767).astype(np.int16)


def _length(queue: deque[NDArray[np.int16]]) -> int:
    return sum(len(one) for one in queue)


def _taken(queue: deque[NDArray[np.int16]], count: int) -> NDArray[np.int16]:
    parts: list[NDArray[np.int16]] = []
    while queue and count:
        first = queue.popleft()
        if len(first) > count:
            queue.appendleft(first[count:])
            first = first[:count]
        parts.append(first)
        count -= len(first)
    return np.concatenate(parts) if parts else np.zeros(0, np.int16)


class Loudspeaker:
    """Plays the other rooms' sound; a machine that cannot play says so once, and the lesson goes on."""

    def __init__(self, device: str, on_trouble: Callable[[str], None]) -> None:
        """Open the loudspeaker.

        Args:
            device: `default`, or a part of its name.
            on_trouble: told once, in words, where there is no sound.
        """
        self._mixer = Mixer()
        self._stream: Any = None
        try:
            # Imported late: the module itself fails where PortAudio is missing.
            sounddevice = importlib.import_module("sounddevice")
            self._stream = sounddevice.OutputStream(
                samplerate=SOUND_RATE_HZ,
                blocksize=BLOCK_SAMPLES,
                channels=1,
                dtype="int16",
                device=None if device == "default" else device,
                callback=self._play,
            )
            self._stream.start()
        except (OSError, ValueError) as error:
            on_trouble(f"PortAudio is missing or knows no loudspeaker {device!r}: {error}; the far room is not heard")
        except Exception as error:
            # sounddevice's own error class can only be named where PortAudio is installed.
            if type(error).__name__ != "PortAudioError":
                raise
            on_trouble(f"no loudspeaker can be opened ({error}); the far room is not heard")

    def picture(self, room: str, track: str, picture: av.VideoFrame) -> None:
        """Pictures are not shown here."""

    def sound(self, room: str, samples: NDArray[np.int16]) -> None:
        """Play samples, 48 kHz mono, shape (samples,)."""
        if self._stream is not None:
            self._mixer.put(room, samples)

    def close(self) -> None:
        """Let go of the device."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def _play(self, out: NDArray[np.int16], frames: int, _time: object, status: object) -> None:
        if status:
            log.debug("loudspeaker: %s", status)
        out[:, 0] = self._mixer.take(frames)
