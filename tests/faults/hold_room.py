"""One room of a lesson as a process of its own, so that it can stand in a network namespace.

    python -m tests.faults.hold_room ROOM lead|receiving|mischief ROOM,ROOM,... WIDTH

The rooms are all rooms, the lead room first; WIDTH is that of the lead room's camera. Signals come as JSON
lines on standard input and go out as lines `{"signal": ...}`; whoever started the rooms carries them, as
the hub does. What is seen and heard goes out as `["picture", room, monotonic ns, age in ms, width]`,
`["sound", room, monotonic ns, new blocks of 20 ms]`, `["state", room, state]` and `["rung", room, rung, why, rung
before]`. `mischief` joins like a
receiving room, says `["joined"]` and then sends damaged media through its own encrypted transport.
"""

import asyncio
import json
import random
import struct
import sys
import threading
import time

import pylibsrtp

from agent.encode.lower import LowerTier
from agent.encode.sound import SoundEncoder
from agent.encode.video import VideoEncoder
from agent.stream import rtc
from agent.stream.fanout import TrackFanout
from agent.stream.mediaclock import MediaClock
from agent.stream.peer import Peer, PeerContext, PeerFigures
from agent.stream.room import RoomStream
from agent.stream.tiers import CameraTiers
from benchmarks.picture import FPS, PaintedSource, age_ms
from benchmarks.tones import NewBlocks, ToneSource
from contract.session import Role, RoomOrder, SessionOrder
from contract.signal import Answer, Offer
from tests.agent.sources import MovingBars

LEAD_BPS = {1280: 2_000_000, 640: 800_000}
RECEIVING_BPS = 300_000
LINE_MAX = 1 << 20
_telling = threading.Lock()


def tell(what):
    with _telling:
        sys.stdout.write(json.dumps(what) + "\n")
        sys.stdout.flush()


class Screen:
    """Tells what the room sees and hears."""

    def __init__(self, painted_width):
        self._painted_width = painted_width
        self._blocks = {}

    def picture(self, room, track, picture):
        if track == "camera":
            now = time.monotonic_ns()
            age = age_ms(picture, now, self._painted_width) if self._painted_width else None
            tell(["picture", room, now, age, picture.width])

    def sound(self, room, samples):
        new = self._blocks.setdefault(room, NewBlocks()).heard(samples)
        tell(["sound", room, time.monotonic_ns(), new])


class Sources:
    """Camera and microphone of one room, encoded; the lead room's with a lower tier."""

    def __init__(self, width, *, lead):
        loop = asyncio.get_running_loop()
        bps = LEAD_BPS[width] if lead else RECEIVING_BPS
        camera = PaintedSource((width, width * 9 // 16)) if lead else MovingBars()
        self._video = VideoEncoder("camera", camera, bps, print)
        self._sound = SoundEncoder("mic", ToneSource(), print)
        outgoing = {
            "camera": TrackFanout(loop, self._video.request_keyframe),
            "mic": TrackFanout(loop, lambda: None),
        }
        self._video.add_taker(outgoing["camera"].take)
        self._sound.add_taker(outgoing["mic"].take)
        lower = TrackFanout(loop, lambda: self._lower.request_keyframe())
        self._lower = LowerTier(FPS, lower.take, print)
        self._video.add_frame_taker(self._lower.feed)
        tiers = CameraTiers(outgoing["camera"], bps, lower, self._lower.want)
        clock = MediaClock(time.time_ns() - time.monotonic_ns())
        rtc.install(clock)
        screen = Screen(0 if lead else width)
        self.context = PeerContext(outgoing, clock, lambda _: True, screen, (), tiers, self._sound.expect_loss)
        self._video.start()
        self._sound.start()

    def close(self):
        self._video.stop()
        self._sound.stop()
        self._lower.close()


def order(rooms):
    made = [
        RoomOrder(room=room, device=room, role=Role.RECEIVING if at else Role.LEAD) for at, room in enumerate(rooms)
    ]
    return SessionOrder(session="s-test", rev=1, epoch=0, seconds=3600, rooms=tuple(made))


async def hold(stream, signals):
    """Hold the stream until standard input ends."""
    running = asyncio.create_task(stream.run())
    while line := await signals.readline():
        try:
            signal = json.loads(line)
            if signal["kind"] == "offer":
                stream.take_offer(Offer.model_validate(signal))
            else:
                stream.take_answer(Answer.model_validate(signal))
        except (ValueError, KeyError) as error:
            tell(["refused", str(error)])
        if running.done():
            running.result()  # it never ends of itself: what it says is on standard error
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


def damaged(rng):
    """RTP and RTCP that is none, under headers that pass for it."""
    payload, first, source = rng.randbytes(rng.randrange(1, 1100)), 0x80 | rng.randrange(32), rng.getrandbits(32)
    if rng.random() < 0.5:
        words = payload[: len(payload) // 4 * 4]
        kind = rng.choice([200, 201, 202, 203, 205, 206, 207])
        return struct.pack("!BBHI", first, kind, len(words) // 4 + 1, source) + words
    kind = rng.randrange(96, 110)
    return struct.pack("!BBHII", first, kind, rng.getrandbits(16), rng.getrandbits(32), source) + payload


async def mischief(me, lead, context, signals):
    peer = Peer(lead, "mischief-1", context, PeerFigures())
    sdp, tracks = await peer.offer()
    offer = Offer(device=me, session="s-test", sender=me, to=lead, attempt="mischief-1", sdp=sdp, tracks=tracks)
    tell({"signal": offer.model_dump(mode="json")})
    answer = Answer.model_validate_json(await signals.readline())
    await peer.accept(answer.sdp)
    while peer.last_packet_ns is None:  # noqa: ASYNC110 - a peer tells it in no other way
        await asyncio.sleep(0.05)
    tell(["joined"])
    rng = random.Random(1)
    transceivers = peer._pc.getTransceivers()
    known = [one.sender._ssrc for one in transceivers]
    transport = transceivers[0].sender.transport
    sent = 0
    while True:
        packet = bytearray(damaged(rng))
        if rng.random() < 0.7 and not 192 <= packet[1] <= 223:
            packet[8:12] = struct.pack("!I", rng.choice(known))  # as if it were the camera's or the microphone's
        try:
            await transport._send_rtp(bytes(packet))
        except pylibsrtp.Error:
            continue  # so damaged that it cannot even be encrypted
        sent += 1
        if sent % 20 == 0:
            tell(["mischief", sent])
            await asyncio.sleep(0.02)


async def main(room, role, rooms, width):
    loop = asyncio.get_running_loop()
    signals = asyncio.StreamReader(limit=LINE_MAX)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(signals), sys.stdin)
    sources = Sources(width, lead=role == "lead")
    if role == "mischief":
        await mischief(room, rooms[0], sources.context, signals)
        return
    whole = order(rooms)
    told = {}

    def changed():
        for other, state in stream.states.items():
            if told.get(other) != state:
                told[other] = state
                tell(["state", other, state.value])

    stream = RoomStream(
        whole,
        whole.room_of(room),
        sources.context,
        lambda signal, _valid_s: tell({"signal": signal.model_dump(mode="json")}),
        changed,
        lambda other, stand, before: tell(["rung", other, stand.rung, stand.why, before]),
    )
    tell(["running"])
    await hold(stream, signals)
    sources.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3].split(","), int(sys.argv[4])))
