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
from agent.stream.played import PlayedTaker, PlayedTap, lead_s

log = logging.getLogger(__name__)

AHEAD_SAMPLES = 3 * BLOCK_SAMPLES
"""A room is heard once this much of it waits: 60 ms against the jitter of the network, to begin with."""
AHEAD_MOST_SAMPLES = 6 * BLOCK_SAMPLES
"""A room that keeps running dry gathers up to this much."""
MOST_SAMPLES = 10 * BLOCK_SAMPLES
"""More than 200 ms may not wait: the oldest sound is dropped, so that the rooms stay together."""
SPARE_SAMPLES = 2 * BLOCK_SAMPLES
"""Sound that never was in need of more than the rest of what waits may be dropped."""
WATCH_SAMPLES = 10 * SOUND_RATE_HZ
"""What waited is judged over 10 s of playing."""
QUIET = 330
"""A block whose samples stay below this (-40 dBFS) can be dropped unheard."""


class _Waiting:
    """Sound of one room that waits."""

    def __init__(self) -> None:
        self.blocks: deque[NDArray[np.int16]] = deque()
        self.samples = 0
        self.playing = False
        self.ahead = AHEAD_SAMPLES
        """How much is gathered before the room is heard."""
        self._least = MOST_SAMPLES
        self._watched = 0

    def put(self, samples: NDArray[np.int16]) -> int:
        """Add sound; returns how many samples of the oldest were dropped for it."""
        if self._spare and len(samples) and int(np.abs(samples.astype(np.int32)).max()) < QUIET:
            self._watched = 0
            self.ahead = max(AHEAD_SAMPLES, self.ahead - BLOCK_SAMPLES)
            return len(samples)
        self.blocks.append(samples)
        self.samples += len(samples)
        dropped = 0
        while self.samples > MOST_SAMPLES:
            dropped += len(self.blocks[0])
            self.samples -= len(self.blocks.popleft())
        self.playing = self.playing or self.samples >= self.ahead
        return dropped

    def take(self, count: int) -> NDArray[np.int16]:
        """Up to `count` samples; fewer end the playing until enough has been gathered again."""
        parts: list[NDArray[np.int16]] = []
        missing = count
        while self.blocks and missing:
            first = self.blocks.popleft()
            if len(first) > missing:
                self.blocks.appendleft(first[missing:])
                first = first[:missing]
            parts.append(first)
            missing -= len(first)
        self.samples -= count - missing
        if missing:
            self.playing = False
            self.ahead = min(AHEAD_MOST_SAMPLES, self.ahead + BLOCK_SAMPLES)
            self._watched = 0
        self._watch(count)
        return np.concatenate(parts) if parts else np.zeros(0, np.int16)

    def _watch(self, count: int) -> None:
        self._least = min(self._least, self.samples) if self._watched else self.samples
        self._watched += count

    @property
    def _spare(self) -> bool:
        """Whether more waits than was needed for a while."""
        return self._watched >= WATCH_SAMPLES and self._least >= SPARE_SAMPLES


class Mixer:
    """Mixes the sound of several rooms. Thread-safe; `put` and `take` return at once."""

    def __init__(self) -> None:
        self.dropped_samples = 0
        """Samples dropped because a room ran ahead of the loudspeaker."""
        self._lock = threading.Lock()
        self._rooms: dict[str, _Waiting] = {}

    def put(self, room: str, samples: NDArray[np.int16]) -> None:
        """Add sound of a room, shape (samples,), 48 kHz."""
        with self._lock:
            self.dropped_samples += self._rooms.setdefault(room, _Waiting()).put(samples)

    def take(self, count: int) -> NDArray[np.int16]:
        """The next `count` samples of all rooms together; silence where nothing waits."""
        mixed = np.zeros(count, np.int32)
        with self._lock:
            for _, waiting in sorted(self._rooms.items()):
                if waiting.playing:
                    taken = waiting.take(count)
                    mixed[: len(taken)] += taken
        return np.clip(mixed, -32768, 32767).astype(np.int16)

    def waiting_ms(self, room: str) -> float:
        """How long sound of a room that is put in now will wait."""
        with self._lock:
            waiting = self._rooms.get(room)
            if waiting is None:
                return AHEAD_SAMPLES * 1000 / SOUND_RATE_HZ
            # Where sound is still gathered, it is heard when enough of it has come.
            samples = waiting.samples if waiting.playing else waiting.ahead
            return samples * 1000 / SOUND_RATE_HZ


class Loudspeaker:
    """Plays the other rooms' sound; a machine that cannot play says so once, and the lesson goes on."""

    def __init__(self, device: str, on_trouble: Callable[[str], None]) -> None:
        """Open the loudspeaker.

        Args:
            device: `default`, or a part of its name.
            on_trouble: told once, in words, where there is no sound.
        """
        self._mixer = Mixer()
        self._tap = PlayedTap()
        self._latency_s = 0.0
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
            self._latency_s = float(self._stream.latency)
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

    def wants(self, room: str, track: str) -> bool:  # noqa: ARG002 - the playout's call
        """Nothing is shown here, so nothing needs to be decoded for it."""
        return False

    def waiting_ms(self, room: str) -> float | None:
        """How long sound of a room waits before it is heard; None where there is no loudspeaker."""
        if self._stream is None:
            return None
        return self._mixer.waiting_ms(room) + self._latency_s * 1000

    def sound(self, room: str, samples: NDArray[np.int16]) -> None:
        """Play samples, 48 kHz mono, shape (samples,)."""
        if self._stream is not None:
            self._mixer.put(room, samples)

    def add_played_taker(self, take: PlayedTaker) -> None:
        """Give what is really played, with the time at which it leaves, to `take`; without a device that is nothing."""
        self._tap.add(take)

    def remove_played_taker(self, take: PlayedTaker) -> None:
        """Give it nothing more."""
        self._tap.remove(take)

    def close(self) -> None:
        """Let go of the device."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def _play(self, out: NDArray[np.int16], frames: int, times: Any, status: object) -> None:
        """PortAudio's callback, on its own thread; what it raised would end the sound."""
        if status:
            log.debug("loudspeaker: %s", status)
        mixed = self._mixer.take(frames)
        out[:, 0] = mixed
        self._tap.give(mixed, lead_s(times.outputBufferDacTime, times.currentTime, self._latency_s))
