"""One encoder for the room's sound: a thread that pulls blocks and hands out Opus packets, once for all."""

import fractions
import logging
import math
import threading
from collections.abc import Callable

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext

from agent.capture.frame import BLOCK_SAMPLES, SOUND_RATE_HZ, Block, SoundSource, SourceLost
from agent.encode.packet import SoundPacket, SoundTaker

log = logging.getLogger(__name__)

BITRATE_BPS = 48_000
EXPECTED_LOSS_PERCENT = 5
"""What Opus's in-band error correction is made for; without a figure it stays away."""
SILENT_DBOV = -127

BlockTaker = Callable[[Block], None]
"""Takes a raw block on the encoder's thread; must return at once and never raise."""


def level_dbov(block: Block) -> int:
    """Level of a block in dB below full scale: 0 is the loudest, -127 is silence (RFC 6464)."""
    samples = block.samples.astype(np.float32)
    mean_square = float(np.dot(samples, samples)) / max(1, len(samples))
    if mean_square < 1.0:
        return SILENT_DBOV
    return max(SILENT_DBOV, min(0, round(10 * math.log10(mean_square / 32768.0**2))))


class SoundEncoder:
    """Encodes what a source hears with Opus, 20 ms a packet, and gives each packet to every taker."""

    def __init__(self, track: str, source: SoundSource, on_trouble: Callable[[str], None]) -> None:
        self.track = track
        self.packets = 0
        self.first_block = threading.Event()
        """Set when the first block has been encoded."""
        self._source = source
        self._on_trouble = on_trouble
        self._takers: tuple[SoundTaker, ...] = ()
        self._block_takers: tuple[BlockTaker, ...] = ()
        self._takers_lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"encode.{track}", daemon=True)

    def start(self) -> None:
        """Begin to pull blocks."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread and close the source; waits for both."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)
            if self._thread.is_alive():
                log.warning("the source of track %s does not let go; left behind", self.track)
        self._source.close()

    def add_taker(self, taker: SoundTaker) -> None:
        """Give every packet from now on to `taker`."""
        with self._takers_lock:
            self._takers = (*self._takers, taker)

    def remove_taker(self, taker: SoundTaker) -> None:
        """Stop giving packets to `taker`."""
        with self._takers_lock:
            self._takers = tuple(one for one in self._takers if one != taker)

    def add_block_taker(self, taker: BlockTaker) -> None:
        """Give every raw block from now on to `taker`."""
        with self._takers_lock:
            self._block_takers = (*self._block_takers, taker)

    def _run(self) -> None:
        try:
            codec = opus_encoder()
            for index, block in enumerate(self._source.blocks(self._stop)):
                for block_taker in self._block_takers:
                    block_taker(block)
                self._encode(codec, block, index)
        except SourceLost as error:
            self._on_trouble(str(error))
        except av.FFmpegError as error:
            self._on_trouble(f"track {self.track} cannot be encoded any more: {error}")

    def _encode(self, codec: AudioCodecContext, block: Block, index: int) -> None:
        frame = av.AudioFrame.from_ndarray(block.samples.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = SOUND_RATE_HZ
        frame.pts = index * BLOCK_SAMPLES
        frame.time_base = fractions.Fraction(1, SOUND_RATE_HZ)
        for packet in codec.encode(frame):
            made = SoundPacket(data=bytes(packet), mono_ns=block.mono_ns, level_dbov=level_dbov(block))
            self.packets += 1
            for taker in self._takers:
                taker(made)
        self.first_block.set()


def opus_encoder() -> AudioCodecContext:
    """An open Opus encoder: 48 kHz mono int16, 20 ms."""
    codec = av.CodecContext.create("libopus", "w")
    if not isinstance(codec, AudioCodecContext):
        raise TypeError("libopus is not an audio encoder in this FFmpeg")
    codec.bit_rate = BITRATE_BPS
    codec.format = "s16"
    codec.layout = "mono"
    codec.sample_rate = SOUND_RATE_HZ
    codec.time_base = fractions.Fraction(1, SOUND_RATE_HZ)
    codec.options = {
        "application": "audio",
        "frame_duration": "20",
        # Browsers decode this; for other agents see agent/stream/redundancy.py.
        "fec": "1",
        "packet_loss": str(EXPECTED_LOSS_PERCENT),
    }
    codec.open()
    return codec
