"""The encoders' threads: who gets what, and how they end."""

import threading
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from agent.capture.frame import BLOCK_SAMPLES, Block, Frame, SourceLost
from agent.encode import track
from agent.encode.packet import SoundPacket, VideoPacket
from agent.encode.sound import SILENT_DBOV, SoundEncoder, level_dbov
from agent.encode.track import Takers
from agent.encode.video import VideoEncoder
from tests.agent.sources import MovingBars, Tone


def untroubled(words: str) -> None:
    raise AssertionError(words)


def wait(ready, within_s: float = 5.0) -> None:
    deadline = time.monotonic() + within_s
    while not ready():
        assert time.monotonic() < deadline
        time.sleep(0.01)


class Torn(MovingBars):
    """A camera whose cable is pulled after three pictures."""

    def frames(self, stop: threading.Event) -> Iterator[Frame]:
        for index, frame in enumerate(super().frames(stop)):
            if index == 3:
                raise SourceLost("the camera is gone")
            yield frame


class Stuck(Tone):
    """A microphone that neither gives sound nor lets go."""

    def __init__(self) -> None:
        super().__init__()
        self.let_go = threading.Event()

    def blocks(self, stop: threading.Event) -> Iterator[Block]:
        self.let_go.wait()
        yield from ()


class Syllables:
    """Sound that Opus takes for speech: a voice of 140 Hz that comes and goes, on a little noise."""

    def __init__(self, blocks: int) -> None:
        self.at: dict[int, Callable[[], None]] = {}
        """Done before the block of this number."""
        self._count = blocks

    def blocks(self, stop: threading.Event) -> Iterator[Block]:
        dice = np.random.default_rng(1)
        for index in range(self._count):
            self.at.get(index, lambda: None)()
            t = (np.arange(BLOCK_SAMPLES) + index * BLOCK_SAMPLES) / 48_000
            voice = sum(np.sin(2 * np.pi * 140 * k * t) / k for k in range(1, 20)) * (t % 0.5 < 0.3)
            yield Block((6000 * voice + dice.normal(0, 20, len(t))).astype(np.int16), index * 20_000_000)


def corrects(packet: SoundPacket) -> bool:
    """Whether a packet of one 20 ms frame carries a copy of the one before (RFC 6716, sections 3.1 and 4.2.3)."""
    is_linear_prediction = packet.data[0] >> 3 < 16
    return is_linear_prediction and bool(packet.data[1] & 0x40)


def test_everyone_is_given_everything_in_the_order_in_which_they_came():
    seen: list[tuple[str, int]] = []
    takers: Takers[int] = Takers()
    takers.add(lambda thing: seen.append(("first", thing)))
    takers.give(1)
    takers.add(lambda thing: seen.append(("second", thing)))
    takers.give(2)
    assert seen == [("first", 1), ("first", 2), ("second", 2)]


def test_whoever_comes_later_soon_gets_a_keyframe():
    first: list[VideoPacket] = []
    later: list[VideoPacket] = []
    raw: list[Frame] = []
    encoder = VideoEncoder("camera", MovingBars(fps=50), 300_000, untroubled)
    encoder.add_taker(first.append)
    encoder.add_frame_taker(raw.append)
    encoder.start()
    wait(lambda: len(first) >= 20)
    assert not any(packet.keyframe for packet in first[1:20])
    encoder.add_taker(later.append)
    wait(lambda: any(packet.keyframe for packet in later))
    encoder.stop()
    assert first[-1] is later[-1]
    assert {packet.mono_ns for packet in first} <= {frame.mono_ns for frame in raw}


def test_a_recording_can_begin_with_a_keyframe_at_a_given_moment():
    packets: list[VideoPacket] = []
    encoder = VideoEncoder("camera", MovingBars(fps=50), 300_000, untroubled)
    encoder.add_taker(packets.append)
    begin_ns = time.monotonic_ns() + 300_000_000
    encoder.keyframe_at(begin_ns - 250_000_000)
    encoder.keyframe_at(begin_ns)
    encoder.start()
    wait(lambda: packets and packets[-1].mono_ns > begin_ns + 50_000_000)
    encoder.stop()
    first = next(packet for packet in packets if packet.mono_ns >= begin_ns)
    assert first.keyframe


def test_sound_is_given_to_all_20_ms_at_a_time_with_its_level():
    packets: list[SoundPacket] = []
    blocks: list[Block] = []
    encoder = SoundEncoder("mic", Tone(), untroubled)
    encoder.add_taker(packets.append)
    encoder.add_block_taker(blocks.append)
    encoder.start()
    assert encoder.first_block.wait(5)
    wait(lambda: len(packets) >= 5)
    encoder.stop()
    assert {len(block.samples) for block in blocks} == {BLOCK_SAMPLES}
    assert [packet.mono_ns for packet in packets] == [block.mono_ns for block in blocks[: len(packets)]]
    assert all(packet.level_dbov == level_dbov(blocks[0]) for packet in packets)


def test_sound_carries_its_own_correction_from_the_moment_somebody_loses_some():
    packets: list[SoundPacket] = []
    source = Syllables(blocks=200)
    encoder = SoundEncoder("mic", source, untroubled)
    source.at[100] = encoder.expect_loss
    encoder.add_taker(packets.append)
    encoder.start()
    wait(lambda: len(packets) == 200, within_s=20)
    encoder.stop()
    assert not any(map(corrects, packets[:100]))
    assert sum(map(corrects, packets[100:])) > 10


@pytest.mark.parametrize(("amplitude", "level"), [(0, SILENT_DBOV), (32767, 0), (3277, -20), (1, SILENT_DBOV + 37)])
def test_the_level_is_measured_below_full_scale(amplitude, level):
    assert level_dbov(Block(np.full(BLOCK_SAMPLES, amplitude, np.int16), 0)) == level


def test_a_source_that_is_lost_is_told_in_words():
    told: list[str] = []
    source = Torn(fps=100)
    encoder = VideoEncoder("camera", source, 300_000, told.append)
    encoder.start()
    wait(lambda: told)
    encoder.stop()
    assert told == ["the camera is gone"]


def test_a_source_of_an_impossible_size_is_told_in_words():
    told: list[str] = []
    encoder = VideoEncoder("camera", MovingBars(16, 0), 300_000, told.append)
    encoder.start()
    wait(lambda: told)
    encoder.stop()
    assert "track camera cannot be encoded any more" in told[0]


def test_a_source_that_does_not_let_go_is_left_behind(monkeypatch, caplog):
    monkeypatch.setattr(track, "STOP_S", 0.1)
    source = Stuck()
    encoder = SoundEncoder("mic", source, untroubled)
    encoder.start()
    began = time.monotonic()
    encoder.stop()
    assert time.monotonic() - began < 20
    assert "does not let go" in caplog.text
    source.let_go.set()
