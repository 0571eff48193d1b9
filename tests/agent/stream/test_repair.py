"""Two rooms in one process that lose packets both ways: what is lost comes again through the real transport."""

import asyncio
import random
import time

import aioice.ice
import pytest

from agent.stream import rtc
from agent.stream.mediaclock import MediaClock
from tests.agent.stream.test_peer import Room, join
from tests.patience import comes


@pytest.fixture
def lossy_media(monkeypatch):
    rtc.install(MediaClock(time.time_ns() - time.monotonic_ns()), ("127.0.0.1",))
    rng = random.Random(7)
    whole = aioice.ice.Connection.recv

    async def recv(connection) -> bytes:
        while True:
            data = await whole(connection)
            # RTP and RTCP only (RFC 7983): the handshake has timers of its own.
            if not 128 <= data[0] < 192 or rng.random() >= 0.05:
                return data

    monkeypatch.setattr(aioice.ice.Connection, "recv", recv)


async def test_lost_sound_is_sent_again_and_pictures_go_on(lossy_media):
    lead, receiving = Room(slides=True), Room(slides=False)
    offering, answering, at_receiving, at_lead = await join(lead, receiving)
    both = at_receiving, at_lead
    await comes(
        lambda: (
            all(one.video_frames > 110 and one.audio_seconds > 5 for one in both)
            and sum(one.sound_recovered for one in both) > 10
        )
    )
    await asyncio.gather(offering.close(), answering.close())
    lead.close()
    receiving.close()
    assert at_receiving.sound_recovered + at_lead.sound_recovered > 10
    # A block is 20 ms; one in twenty is lost on the way, of which hardly any stays lost.
    assert sum(one.sound_lost for one in both) <= 0.02 * sum(one.audio_seconds for one in both) / 0.02
    for figures in both:
        assert figures.video_frames > 110
        assert figures.audio_seconds > 5
