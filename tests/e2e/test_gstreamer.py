"""A room whose other end is GStreamer's webrtcbin: no software of ours, and no browser either."""

import asyncio
import contextlib
import time
from pathlib import Path

import numpy as np
import pytest

from agent.encode.sound import SoundEncoder
from agent.encode.video import VideoEncoder
from agent.stream import rtc
from agent.stream.fanout import TrackFanout
from agent.stream.figures import PeerFigures
from agent.stream.mediaclock import MediaClock
from agent.stream.peer import Peer, PeerContext
from agent.stream.uplink import START_BPS
from benchmarks.gstreamer import SYSTEM_PYTHON, TALKS, missing
from benchmarks.wire import hear, tell
from tests.agent.sources import MovingBars, Tone

pytestmark = [pytest.mark.paired, pytest.mark.e2e, pytest.mark.timeout(60)]

ROOT = Path(__file__).parents[2]
SENDS = ("videotestsrc", "x264enc", "h264parse", "rtph264pay", "capssetter", "audiotestsrc", "opusenc", "rtpopuspay")
RECEIVES = ("rtph264depay", "avdec_h264|openh264dec", "rtpopusdepay", "opusdec", "sctpdec")
TALK_S = 3.0
ANSWER_S = 20.0
LOUD = 3000


@pytest.fixture(scope="module", autouse=True)
def gstreamer():
    if words := missing((*TALKS, *SENDS, *RECEIVES)):
        pytest.skip(words)


class Screen:
    """What our room shows and sounds."""

    def __init__(self):
        self.pictures = self.moved = 0
        self.loud_s = 0.0
        self.target_bps = None
        """What our room may send in the end."""
        self._last = None

    def picture(self, room, track, picture):
        luma = np.frombuffer(picture.planes[0], np.uint8).copy()
        self.pictures += 1
        self.moved += self._last is not None and not np.array_equal(luma, self._last)
        self._last = luma

    def sound(self, room, samples):
        if np.abs(samples).max(initial=0) > LOUD:
            self.loud_s += len(samples) / 48_000


@contextlib.contextmanager
def sources(sends):
    """What a room sends, by track; nothing where it only receives."""
    loop, outgoing, encoders = asyncio.get_running_loop(), {}, []
    if sends:
        encoders = [VideoEncoder("camera", MovingBars(), 300_000, print), SoundEncoder("mic", Tone(), print)]
    for encoder in encoders:
        outgoing[encoder.track] = TrackFanout(loop, getattr(encoder, "request_keyframe", lambda: None))
        encoder.add_taker(outgoing[encoder.track].take)
        encoder.start()
    try:
        yield outgoing
    finally:
        for encoder in encoders:
            encoder.stop()


@contextlib.asynccontextmanager
async def gstreamer_room(socket, *how):
    """GStreamer's room in a process of its own: what to hear it by, and what to tell it by."""
    came = asyncio.get_running_loop().create_future()
    async with await asyncio.start_unix_server(lambda *both: came.set_result(both), socket):
        command = [SYSTEM_PYTHON, "-m", "tests.e2e.gstreamer_room", str(socket), *how]
        process = await asyncio.create_subprocess_exec(*command, cwd=ROOT)
        try:
            reader, writer = await came
            yield reader, writer
            writer.close()
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


async def talked(socket, sends, *how):
    """Hold a room together with GStreamer's for `TALK_S`.

    Returns:
        (What our room saw and heard, what GStreamer tells of what it did.)
    """
    clock = MediaClock(time.time_ns() - time.monotonic_ns())
    rtc.install(clock)
    screen = Screen()
    async with asyncio.timeout(ANSWER_S), gstreamer_room(socket, *how) as (reader, writer):
        with sources(sends) as outgoing:
            peer = Peer("gstreamer", "a", PeerContext(outgoing, clock, lambda _: True, screen, ()), PeerFigures())
            said = await hear(reader)
            if "sdp" in said:
                await tell(writer, {"sdp": await peer.answer(said["sdp"], said["tracks"])})
            else:
                await tell(writer, {"sdp": (await peer.offer())[0]})
                await peer.accept((await hear(reader))["sdp"])
            assert await hear(reader) == {"connected": True}
            await asyncio.sleep(TALK_S)
            await tell(writer, {"end": True})
            told = await hear(reader)
            screen.target_bps = peer.look(0.0).target_bps
            await peer.close()
    return screen, told


def sees_and_hears(screen):
    """Nearly all that was sent; the first picture takes a moment, and a busy machine leaves some out."""
    assert screen.moved > 15 * TALK_S, vars(screen)
    assert screen.loud_s > 0.7 * TALK_S, vars(screen)


async def test_we_see_and_hear_what_gstreamer_sends(tmp_path):
    screen, _ = await talked(tmp_path / "signals", False, "offer", "send")
    sees_and_hears(screen)


async def test_gstreamer_sees_and_hears_what_we_send_and_its_rare_reports_cost_no_rate(tmp_path):
    screen, told = await talked(tmp_path / "signals", True, "answer", "receive")
    assert screen.target_bps >= START_BPS
    assert told["moved"] > 15 * TALK_S, told
    assert told["loud_s"] > 0.7 * TALK_S, told


async def test_both_see_and_hear_each_other_over_one_connection(tmp_path):
    screen, told = await talked(tmp_path / "signals", True, "answer", "send", "receive")
    sees_and_hears(screen)
    assert told["moved"] > 15 * TALK_S, told
    assert told["loud_s"] > 0.7 * TALK_S, told
