"""The floor of a sender: the picture painted and encoded, the sound encoded, and all of it thrown away.

python -m benchmarks.floor [--seconds S] [--size WIDTHxHEIGHT] [--bitrate BPS]

The same source and the same encoders as our sender's, and nothing else in the process. Prints a line of JSON.
"""

import argparse
import fractions
import json
import threading
import time

import av

from agent.capture.frame import BLOCK_SAMPLES, SOUND_RATE_HZ
from agent.encode.picture import PictureEncoder
from agent.encode.sound import opus_encoder
from benchmarks.picture import FPS, PaintedSource, size_of
from benchmarks.room_sender import BITRATE_BPS, WARM_S
from benchmarks.tones import ToneSource
from benchmarks.wire import cpu_s


class Pictures(threading.Thread):
    """Encodes pictures and counts them."""

    def __init__(self, size: tuple[int, int], bitrate_bps: int, stop: threading.Event) -> None:
        super().__init__(daemon=True)
        self.count = 0
        self._source = PaintedSource(size)
        self._encoder = PictureEncoder(*size, FPS, bitrate_bps)
        self._stop_event = stop

    def run(self) -> None:
        for frame in self._source.frames(self._stop_event):
            self.count += len(self._encoder.encode(frame.picture, frame.mono_ns))


class Sound(threading.Thread):
    """Encodes sound, 20 ms a packet."""

    def __init__(self, stop: threading.Event) -> None:
        super().__init__(daemon=True)
        self._stop_event = stop

    def run(self) -> None:
        codec = opus_encoder()
        for index, block in enumerate(ToneSource().blocks(self._stop_event)):
            frame = av.AudioFrame.from_ndarray(block.samples.reshape(1, -1), format="s16", layout="mono")
            frame.sample_rate, frame.pts = SOUND_RATE_HZ, index * BLOCK_SAMPLES
            frame.time_base = fractions.Fraction(1, SOUND_RATE_HZ)
            codec.encode(frame)


def main(seconds: float, size: tuple[int, int], bitrate: int) -> None:
    stop = threading.Event()
    pictures, sound = Pictures(size, bitrate, stop), Sound(stop)
    pictures.start()
    sound.start()
    time.sleep(WARM_S)
    begin_ns, begin_cpu_s, begin_count = time.monotonic_ns(), cpu_s(), pictures.count
    time.sleep(seconds)
    measured = {
        "begin_ns": begin_ns,
        "end_ns": time.monotonic_ns(),
        "cpu_s": cpu_s() - begin_cpu_s,
        "frames": pictures.count - begin_count,
    }
    print(json.dumps(measured), flush=True)
    stop.set()
    pictures.join()
    sound.join()


if __name__ == "__main__":
    told = argparse.ArgumentParser()
    told.add_argument("--seconds", type=float, default=10.0)
    told.add_argument("--size", type=size_of, default=(1280, 720))
    told.add_argument("--bitrate", type=int, default=BITRATE_BPS, help="in bit/s")
    main(**vars(told.parse_args()))
