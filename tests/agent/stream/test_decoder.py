"""A decoder that falls behind, meets garbage, and ends."""

import threading
import time

from agent.stream.decoder import QUEUE_MAX, PictureDecoder
from agent.stream.jitter import Picture
from tests.agent.stream.test_incoming import pictures


def encoded(count: int, keyframe_every: int = 100) -> list[Picture]:
    made = pictures(count, keyframe_every)
    return [
        Picture(packets[0].timestamp, [one.payload for one in packets], index % keyframe_every == 0, index)
        for index, packets in enumerate(made)
    ]


def wait(ready, within_s: float = 30.0) -> None:
    deadline = time.monotonic() + within_s
    while not ready():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_pictures_come_out_in_order_with_the_time_of_their_capture():
    seen: list[int | None] = []
    decoder = PictureDecoder("camera.far", lambda _picture, ntp, _at: seen.append(ntp), lambda: None)
    for picture in encoded(QUEUE_MAX):
        decoder.put(picture)
    wait(lambda: len(seen) == QUEUE_MAX)
    decoder.close()
    assert seen == list(range(QUEUE_MAX))


def test_a_decoder_that_is_behind_drops_up_to_the_next_keyframe_and_asks_for_one():
    seen: list[int | None] = []
    lost: list[bool] = []
    go = threading.Event()

    def slow(_picture, ntp, _at) -> None:
        go.wait(5)
        seen.append(ntp)

    decoder = PictureDecoder("camera.far", slow, lambda: lost.append(True))
    made = encoded(QUEUE_MAX + 9, keyframe_every=QUEUE_MAX + 6)
    for picture in made[: QUEUE_MAX + 4]:
        decoder.put(picture)
        time.sleep(0.002)
    assert lost == [True]
    go.set()
    wait(lambda: len(seen) >= QUEUE_MAX)
    for picture in made[QUEUE_MAX + 4 :]:
        decoder.put(picture)
    wait(lambda: seen[-1] == len(made) - 1)
    decoder.close()
    gone = [number for number in range(len(made)) if number not in seen]
    assert len(gone) == decoder.dropped
    assert gone == list(range(gone[0], QUEUE_MAX + 6)), "what follows a dropped picture is of no use before a keyframe"


def test_garbage_is_told_and_the_next_keyframe_is_shown():
    seen: list[int | None] = []
    lost: list[bool] = []
    decoder = PictureDecoder("camera.far", lambda _picture, ntp, _at: seen.append(ntp), lambda: lost.append(True))
    decoder.put(Picture(0, [b"\x18\x00\x09\x01"], True, 70))
    (good,) = encoded(1)
    decoder.put(good)
    wait(lambda: seen)
    decoder.close()
    assert lost == [True]
    assert seen == [0]


def test_closing_ends_the_thread_even_where_it_is_behind():
    go = threading.Event()
    decoder = PictureDecoder("camera.closed", lambda *_: go.wait(5), lambda: None)
    for picture in encoded(QUEUE_MAX + 1):
        decoder.put(picture)
    decoder.close()
    go.set()
    wait(lambda: not any(one.name == "decode.camera.closed" for one in threading.enumerate()))
