import itertools
import socket
import threading
import time

import numpy as np
import pytest

from agent.capture.frame import SourceLost
from agent.capture.rtsp import RtspPicture
from agent.capture.sources import open_room, parse_source
from tests.agent.capture.conftest import luma
from tests.agent.capture.rtsp_server import RtspServer


def room(text, **more):
    return open_room(parse_source(text), size=(640, 360), fps=25, seed=1, has_slides=False, **more)


@pytest.fixture
def server():
    one = RtspServer()
    yield one
    one.close()


def test_a_network_camera_gives_picture_and_sound_over_one_connection(server, stop):
    opened = room(server.url)
    blocks = []

    def listen():
        blocks.extend(itertools.islice(opened.sound.blocks(stop), 200))

    listener = threading.Thread(target=listen)
    listener.start()
    frames = []
    for frame in opened.camera.frames(stop):
        frames.append(frame)
        if not listener.is_alive():
            break
    stop.set()
    listener.join()
    opened.close()
    assert server.connections == 1
    assert (frames[0].picture.width, frames[0].picture.height) == (640, 360)
    live = [frame for frame in frames if luma(frame.picture).std() < 3]
    assert len(live) > 40
    assert len({round(float(np.median(luma(frame.picture)))) for frame in live}) > 10
    assert np.median(np.diff([frame.mono_ns for frame in live])) == pytest.approx(40e6, rel=0.2)
    assert max(np.abs(block.samples).max() for block in blocks) > 8000
    assert {b.mono_ns - a.mono_ns for a, b in itertools.pairwise(blocks)} == {20_000_000}


def test_the_sound_of_a_network_camera_can_be_used_alone(server, stop):
    opened = room(f"rehearsal+{server.url}")
    blocks = list(itertools.islice(opened.sound.blocks(stop), 150))
    opened.close()
    assert max(np.abs(block.samples).max() for block in blocks) > 8000


def test_a_network_camera_that_goes_away_is_told_once_and_comes_back(stop):
    server = RtspServer(sound=False)
    told: list[str] = []
    opened = room(server.url, on_trouble=told.append)
    frames, port = [], server.port
    begun = time.monotonic()
    for frame in opened.camera.frames(stop):
        frames.append(frame)
        if server is not None and luma(frame.picture).std() < 3:
            server.close()
            server = None
        if server is None and told and port != 0 and len(frames) > 60:
            server, port = RtspServer(sound=False, port=port), 0
            begun = time.monotonic()
        if len(told) == 2 or time.monotonic() - begun > 20:
            break
    opened.close()
    if server is not None:
        server.close()
    assert len(told) >= 2  # the second camera may go, too, before all is closed
    assert "is back" in told[1]
    assert "geheim" not in " ".join(told)
    assert (np.diff([frame.mono_ns for frame in frames]) > 0).all()


def test_a_refused_connection_is_told_without_the_password(stop):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    source = RtspPicture(f"rtsp://user:geheim@127.0.0.1:{port}/1", (320, 180), 25, None)
    with pytest.raises(SourceLost, match="cannot be received") as lost:
        next(source.frames(stop))
    assert "geheim" not in str(lost.value)


def test_a_host_that_accepts_and_says_nothing_does_not_delay_the_end(stop):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        opened = room(f"rtsp://127.0.0.1:{silent.getsockname()[1]}/1")
        frames = opened.camera.frames(stop)
        assert luma(next(frames).picture).std() > 10
        begun = time.monotonic()
        stop.set()
        assert list(frames) == []
        assert time.monotonic() - begun < 4, "the connection itself waits for 5 s"
        opened.close()
        assert time.monotonic() - begun < 20
