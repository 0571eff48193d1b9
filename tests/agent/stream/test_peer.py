"""Two rooms in one process: real encoders, real WebRTC on loopback."""

import asyncio
import re
import time

import pytest

from agent.encode.sound import SoundEncoder
from agent.encode.video import VideoEncoder
from agent.stream import rtc
from agent.stream.fanout import TrackFanout
from agent.stream.figures import PeerFigures
from agent.stream.mediaclock import MediaClock
from agent.stream.peer import Peer, PeerContext
from tests.agent.sources import MovingBars, Tone
from tests.patience import comes


@pytest.fixture(autouse=True)
def installed_rtc():
    rtc.install(MediaClock(time.time_ns() - time.monotonic_ns()), ("127.0.0.1",))


class Room:
    """Encoders of one room and what its peers share."""

    def __init__(self, slides: bool) -> None:
        loop = asyncio.get_running_loop()
        self.encoders = [VideoEncoder("camera", MovingBars(), 300_000, print), SoundEncoder("mic", Tone(), print)]
        if slides:
            self.encoders.append(VideoEncoder("slides", MovingBars(fps=5), 200_000, print))
        outgoing = {}
        for encoder in self.encoders:
            ask = getattr(encoder, "request_keyframe", lambda: None)
            outgoing[encoder.track] = TrackFanout(loop, ask)
            encoder.add_taker(outgoing[encoder.track].take)
            encoder.start()
        clock = MediaClock(time.time_ns() - time.monotonic_ns())
        self.context = PeerContext(outgoing, clock, lambda _: True, None, ())

    def close(self) -> None:
        for encoder in self.encoders:
            encoder.stop()


async def join(lead: Room, receiving: Room, attempt: str = "a1"):
    at_lead, at_receiving = PeerFigures(), PeerFigures()
    offering = Peer("lead", attempt, receiving.context, at_receiving)
    answering = Peer("receiving-1", attempt, lead.context, at_lead)
    sdp, tracks = await offering.offer()
    await offering.accept(await answering.answer(sdp, tracks))
    return offering, answering, at_receiving, at_lead


async def test_two_rooms_see_and_hear_each_other():
    lead, receiving = Room(slides=True), Room(slides=False)
    offering, answering, at_receiving, at_lead = await join(lead, receiving)
    await comes(lambda: all(one.video_frames > 50 and one.audio_seconds > 2 for one in (at_receiving, at_lead)))
    await asyncio.gather(offering.close(), answering.close())
    lead.close()
    receiving.close()
    for figures in (at_receiving, at_lead):
        assert figures.video_frames > 50
        assert figures.audio_seconds > 2
        assert figures.joins == 1
        ages = figures.latencies.percentiles(0.0, 0.5, 1.0)
        assert ages is not None
        assert all(0 < age < 1000 for age in ages)
        assert 0 < figures.clock_error_ms < 50


async def test_whoever_offers_other_codecs_first_as_browsers_do_is_answered_with_those_that_are_sent_alone():
    lead, receiving = Room(slides=False), Room(slides=False)
    offering = Peer("lead", "a1", receiving.context, PeerFigures())
    answering = Peer("receiving-1", "a1", lead.context, PeerFigures())
    sdp, tracks = await offering.offer()
    sdp = re.sub(r"(m=video \d+ \S+) (.*?)\r\n", r"\1 120 \2\r\na=rtpmap:120 VP8/90000\r\n", sdp)
    sdp = re.sub(r"(m=audio \d+ \S+) (.*?)\r\n", r"\1 0 \2\r\na=rtpmap:0 PCMU/8000\r\n", sdp)
    answer = await answering.answer(sdp, tracks)
    await asyncio.gather(offering.close(), answering.close())
    lead.close()
    receiving.close()
    assert "VP8" in sdp
    assert "PCMU/8000" in sdp
    assert set(re.findall(r"a=rtpmap:\d+ (\w+)", answer)) == {"opus", "H264", "rtx"}


DAMAGED_RTP = (
    "90E1 0001 00000000 00000001 BEDE 0001 60 00 00 00",  # a transport-wide number of one byte
    "90E1 0002 00000000 00000001 BEDE 0001 6F FF FF FF",  # an extension longer than all of them
    "90E1 0003 00000000 00000001 BEDE 0001 10 FF 00 00",  # a name that is no text
    "B0E1 0004 00000000 00000001 BEDE 0001 10 30 00 00 FF",  # more padding than packet
)
DAMAGED_RTCP = (
    "8FCE 0005 00000001 00000002 52454D42 FF00FFFF 00000001",  # a bandwidth estimate about 255 streams, one named
    "8FCD 0004 00000001 00000002 00010000 00000000",  # feedback about no packet
    "81C8 0001 00000001",  # a sender report without figures
    "8FCE 0001 00000001",
)


async def test_damaged_packets_of_a_peer_do_not_end_what_it_sends():
    lead, receiving = Room(slides=True), Room(slides=False)
    offering, answering, at_receiving, _ = await join(lead, receiving)
    await comes(lambda: at_receiving.video_frames > 10 and at_receiving.audio_seconds > 0.5)
    transport = answering._pc.getTransceivers()[0].sender.transport
    for packet in (*DAMAGED_RTP, *DAMAGED_RTCP):
        await transport._send_rtp(bytes.fromhex(packet))
    await asyncio.sleep(0.2)
    before = at_receiving.audio_seconds, at_receiving.video_frames
    await comes(lambda: at_receiving.video_frames - before[1] > 10 and at_receiving.audio_seconds - before[0] > 0.5)
    await asyncio.gather(offering.close(), answering.close())
    lead.close()
    receiving.close()
    assert at_receiving.audio_seconds - before[0] > 0.5
    assert at_receiving.video_frames - before[1] > 10


@pytest.mark.parametrize(
    ("named", "words"),
    [
        (dict.fromkeys(("mic", "camera", "slides"), "camera"), "no track we know"),
        ({"mic": "mic", "camera": "camera", "slides": "camera"}, "camera twice"),
        ({"mic": "mic", "camera": "camera"}, "no track we know"),
    ],
    ids=["pictures for sound", "one track twice", "one track without a name"],
)
async def test_an_offer_with_tracks_that_cannot_be_is_refused_in_words(named, words):
    lead, receiving = Room(slides=True), Room(slides=False)
    offering = Peer("lead", "a1", receiving.context, PeerFigures())
    answering = Peer("receiving-1", "a1", lead.context, PeerFigures())
    sdp, tracks = await offering.offer()
    with pytest.raises(ValueError, match=words):
        await answering.answer(sdp, {mid: named[track] for mid, track in tracks.items() if track in named})
    await asyncio.gather(offering.close(), answering.close())
    lead.close()
    receiving.close()


async def test_a_task_that_fails_takes_the_connection_with_it_and_says_so(caplog):
    receiving = Room(slides=False)
    peer = Peer("lead", "a1", receiving.context, PeerFigures())
    await peer.offer()

    async def broken() -> None:
        raise ZeroDivisionError

    peer._start(broken(), "receive.camera")
    await asyncio.wait_for(peer.failed.wait(), 20)
    assert "receive.camera.lead failed" in caplog.text
    await peer.close()
    receiving.close()
