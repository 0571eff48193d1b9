"""Two rooms in one process that lose packets both ways: what is lost comes again through the real transport."""

import asyncio
import random
import time

import aioice.ice
import pytest

from agent.stream import rtc
from agent.stream.mediaclock import MediaClock
from tests.agent.stream.test_peer import Room, join


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
    await asyncio.sleep(6)
    await asyncio.gather(offering.close(), answering.close())
    lead.close()
    receiving.close()
    assert at_receiving.sound_recovered + at_lead.sound_recovered > 10
    assert at_receiving.sound_lost + at_lead.sound_lost <= 12
    for figures in (at_receiving, at_lead):
        assert figures.video_frames > 110
        assert figures.audio_seconds > 5
