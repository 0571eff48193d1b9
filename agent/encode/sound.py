"""One encoder for the room's sound: a thread that pulls blocks and hands out Opus packets, once for all."""

import fractions
import math
import threading
from collections.abc import Callable

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext

from agent.capture.frame import BLOCK_SAMPLES, SOUND_RATE_HZ, Block, SoundSource
from agent.encode.packet import SoundPacket
from agent.encode.track import Takers, TrackEncoder

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


class SoundEncoder(TrackEncoder[SoundPacket]):
    """Encodes what a source hears with Opus, 20 ms a packet, and gives each packet to every taker."""

    def __init__(self, track: str, source: SoundSource, on_trouble: Callable[[str], None]) -> None:
        super().__init__(track, on_trouble)
        self.first_block = threading.Event()
        """Set when the first block has been encoded."""
        self._source = source
        self._correcting = threading.Event()
        self._block_takers: Takers[Block] = Takers()

    def add_block_taker(self, taker: BlockTaker) -> None:
        """Give every raw block from now on to `taker`."""
        self._block_takers.add(taker)

    def expect_loss(self) -> None:
        """Make packets from now on carry Opus's in-band error correction: somebody loses some.

        Not from the beginning, because it costs a fifth of the encoder's work; and for good,
        because the encoder begins anew with it.
        """
        self._correcting.set()

    def _encode_all(self) -> None:
        codec, correcting = opus_encoder(), False
        for index, block in enumerate(self._source.blocks(self._stop)):
            self._block_takers.give(block)
            if self._correcting.is_set() and not correcting:
                codec, correcting = opus_encoder(correcting=True), True
            self._encode(codec, block, index)

    def _encode(self, codec: AudioCodecContext, block: Block, index: int) -> None:
        frame = av.AudioFrame.from_ndarray(block.samples.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = SOUND_RATE_HZ
        frame.pts = index * BLOCK_SAMPLES
        frame.time_base = fractions.Fraction(1, SOUND_RATE_HZ)
        for packet in codec.encode(frame):
            made = SoundPacket(data=bytes(packet), mono_ns=block.mono_ns, level_dbov=level_dbov(block))
            self._takers.give(made)
        self.first_block.set()


def opus_encoder(*, correcting: bool = False) -> AudioCodecContext:
    """An open Opus encoder: 48 kHz mono int16, 20 ms.

    Args:
        correcting: whether packets carry a poorer copy of the one before (in-band error correction), which browsers
            play where that one is lost; for other agents see agent/stream/redundancy.py.
    """
    codec = av.CodecContext.create("libopus", "w")
    if not isinstance(codec, AudioCodecContext):
        raise TypeError("libopus is not an audio encoder in this FFmpeg")
    codec.bit_rate = BITRATE_BPS
    codec.format = "s16"
    codec.layout = "mono"
    codec.sample_rate = SOUND_RATE_HZ
    codec.time_base = fractions.Fraction(1, SOUND_RATE_HZ)
    codec.options = {"application": "audio", "frame_duration": "20"}
    if correcting:
        codec.options |= {"fec": "1", "packet_loss": str(EXPECTED_LOSS_PERCENT)}
    codec.open()
    return codec
