"""A browser joins a lead room: the agent's own encoders and peer connection send, Chromium shows what comes."""

import asyncio
import time

import pytest

from agent.capture.frame import Frame
from agent.encode.sound import SoundEncoder
from agent.encode.video import VideoEncoder
from agent.stream import rtc
from agent.stream.fanout import TrackFanout
from agent.stream.figures import PeerFigures
from agent.stream.mediaclock import MediaClock
from agent.stream.peer import Peer, PeerContext
from benchmarks.chromium import ChromiumMissing, chromium_room, concealed
from benchmarks.picture import painted
from tests.agent.sources import MovingBars, Tone

pytestmark = [pytest.mark.alone, pytest.mark.browser, pytest.mark.timeout(120)]

WIDTH, HEIGHT, BPS = 640, 360, 800_000
WATCHED_S = 2.5
FIRST_S = 20.0


class PaintedBars(MovingBars):
    """Moving bars with the time painted in."""

    def frames(self, stop):
        for frame in super().frames(stop):
            now = time.monotonic_ns()
            yield Frame(painted(frame.picture.to_ndarray(), now), now)


class LeadRoom:
    """A camera and a microphone, encoded for whoever joins."""

    def __init__(self):
        loop = asyncio.get_running_loop()
        clock = MediaClock(time.time_ns() - time.monotonic_ns())
        rtc.install(clock, ("127.0.0.1",))
        video = VideoEncoder("camera", PaintedBars(WIDTH, HEIGHT), BPS, print)
        sound = SoundEncoder("mic", Tone(), print)
        outgoing = {
            "camera": TrackFanout(loop, video.request_keyframe),
            "mic": TrackFanout(loop, lambda: None),
        }
        self._encoders = (video, sound)
        for encoder in self._encoders:
            encoder.add_taker(outgoing[encoder.track].take)
            encoder.start()
        self._context = PeerContext(outgoing, clock, lambda _: True, None, ())

    def peer(self, attempt, figures):
        return Peer("browser", attempt, self._context, figures)

    def close(self):
        for encoder in self._encoders:
            encoder.stop()


async def joined(browser, lead, attempt):
    """What the browser saw in the first seconds after its first picture, when they began, and what came from it."""
    figures = PeerFigures()
    peer = lead.peer(attempt, figures)
    offer = await browser.offer()
    await browser.accept(await peer.answer(offer["sdp"], offer["tracks"]))
    begin_ns = time.monotonic_ns()
    until = time.monotonic() + FIRST_S
    while not (await browser.seen())["pictures"] and time.monotonic() < until:  # noqa: ASYNC110 - the page tells it when asked
        await asyncio.sleep(0.1)
    await asyncio.sleep(WATCHED_S)
    seen = await browser.seen()
    await peer.close()
    return seen, begin_ns, figures


async def test_chromium_sees_pictures_that_move_and_hears_and_is_heard_and_again_after_a_reload():
    try:
        async with chromium_room(WIDTH) as browser:
            lead = LeadRoom()
            joins = [await joined(browser, lead, attempt) for attempt in ("first", "reloaded")]
            lead.close()
    except ChromiumMissing as words:
        pytest.skip(f"{words}; a lead room is not tried in a browser")
    for seen, begin_ns, figures in joins:
        first_ns = seen["pictures"][0][0]
        assert first_ns - begin_ns < 2e9
        # Each picture tells when it was made: they move, and they are not old.
        made = [at / 1e6 - age for at, age in seen["pictures"]]
        assert len(set(map(round, made))) > 20, made
        assert made == sorted(made)
        ages = sorted(age for _, age in seen["pictures"])
        assert 0 < ages[len(ages) // 2] < 500, ages
        assert seen["widths"] == [WIDTH]
        _, counted = seen["figures"][-1]
        assert counted["audio"]["totalAudioEnergy"] > 0.01
        assert concealed(seen, first_ns + 1_000_000_000, begin_ns + 10_000_000_000) < 0.1
        assert figures.audio_seconds > WATCHED_S / 2
