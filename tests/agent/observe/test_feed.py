import av
import numpy as np

from agent.capture.frame import Block, Frame
from agent.observe.feed import SOUND_LIMIT_BLOCKS, Feed, Packer, Sound
from agent.observe.wire import Kind, unpacked_picture

SECOND = 1_000_000_000


def frame(mono_ns: int, width: int = 1280, height: int = 720) -> Frame:
    picture = av.VideoFrame.from_ndarray(np.full((height, width, 3), 90, np.uint8), "bgr24").reformat(format="yuv420p")
    return Frame(picture, mono_ns)


def block(number: int, mono_ns: int | None = None) -> Block:
    return Block(np.full(960, number, np.int16), number * 20_000_000 if mono_ns is None else mono_ns)


def taken_pictures(feed: Feed) -> list[tuple[str, int]]:
    return [(item[0], item[1].mono_ns) for item in feed.take(0) if isinstance(item, tuple)]


def test_of_a_full_rate_only_what_is_due_is_taken():
    feed = Feed({"camera": 1.0, "slides": 0.5})
    picture = frame(0).picture
    taken = []
    for tick in range(100):
        feed.offer_frame("camera", Frame(picture, tick * SECOND // 25))
        feed.offer_frame("slides", Frame(picture, tick * SECOND // 25))
        taken += taken_pictures(feed)
    camera = [at for track, at in taken if track == "camera"]
    slides = [at for track, at in taken if track == "slides"]
    assert camera == [0, SECOND, 2 * SECOND, 3 * SECOND]
    assert len(slides) == 8


def test_a_newer_picture_takes_the_place_of_one_that_waits():
    feed = Feed({"camera": 1.0, "slides": 0.5})
    for second in range(5):
        feed.offer_frame("camera", frame(second * SECOND))
    assert taken_pictures(feed) == [("camera", 4 * SECOND)]
    assert (feed.counts.pictures, feed.counts.replaced_pictures) == (5, 4)


def test_after_a_pause_pictures_come_at_the_cadence_again():
    feed = Feed({"camera": 1.0, "slides": 0.5})
    taken = []
    for at in (0, 40 * SECOND, 40 * SECOND + SECOND // 25, 41 * SECOND):
        feed.offer_frame("camera", frame(at))
        taken += taken_pictures(feed)
    assert [at for _, at in taken] == [0, 40 * SECOND, 41 * SECOND]


def test_ten_seconds_of_sound_wait_and_then_the_oldest_goes():
    feed = Feed({"camera": 1.0, "slides": 0.5})
    for number in range(SOUND_LIMIT_BLOCKS + 30):
        feed.offer_block(block(number))
    batches = [item for item in feed.take(0) if isinstance(item, Sound)]
    assert feed.counts.dropped_blocks == 30
    assert batches[0].blocks[0].samples[0] == 30
    assert sum(len(batch.blocks) for batch in batches) == SOUND_LIMIT_BLOCKS


def test_blocks_with_a_hole_between_them_are_not_joined():
    feed = Feed({"camera": 1.0, "slides": 0.5})
    for number in range(5):
        feed.offer_block(block(number))
    for number in range(5, 15):
        feed.offer_block(block(number, number * 20_000_000 + SECOND))
    first, second = [item for item in feed.take(0) if isinstance(item, Sound)]
    message = Packer().message(second)
    assert len(first.blocks) == 5
    assert (message.kind, message.mono_ns) == (Kind.SOUND, 5 * 20_000_000 + SECOND)
    assert len(message.payload) == 10 * 960 * 2


def test_what_waits_is_still_handed_on_after_closing_and_nothing_more_is_taken():
    feed = Feed({"camera": 1.0, "slides": 0.5})
    feed.offer_block(block(1))
    feed.close()
    feed.offer_block(block(2))
    feed.offer_frame("camera", frame(0))
    (batch,) = feed.take(0)
    assert isinstance(batch, Sound)
    assert [one.samples[0] for one in batch.blocks] == [1]
    assert feed.take(0) == []


def test_pictures_are_shrunk_before_they_are_sent():
    packer = Packer()
    camera, slides = packer.message(("camera", frame(3))), packer.message(("slides", frame(4)))
    assert (camera.kind, camera.mono_ns, slides.kind) == (Kind.CAMERA, 3, Kind.SLIDES)
    assert unpacked_picture(camera.payload, 3).shape == (360, 640, 3)
    assert unpacked_picture(slides.payload, 1).shape == (720, 1280)
    assert abs(int(unpacked_picture(camera.payload, 3)[180, 320, 1]) - 90) <= 3


def test_a_small_picture_is_not_blown_up():
    assert unpacked_picture(Packer().message(("camera", frame(0, 320, 240))).payload, 3).shape == (240, 320, 3)


def test_what_is_played_comes_before_the_sound_in_which_it_may_be_heard_and_silence_need_not_come():
    feed = Feed({"camera": 1.0, "slides": 0.5})
    for number in range(10):
        feed.offer_block(block(number))
    for number in (0, 1, 2, 7, 8):
        feed.offer_played(block(number))
    items = feed.take(0)
    assert [item.kind for item in items] == [Kind.PLAYED, Kind.PLAYED, Kind.SOUND]
    first, second = (Packer().message(item) for item in items[:2])
    assert (first.kind, first.mono_ns, len(first.payload)) == (Kind.PLAYED, 20_000_000, 2 * 960 * 2), "0 is silence"
    assert second.mono_ns == 7 * 20_000_000


def test_ten_seconds_of_what_is_played_wait_and_then_the_oldest_goes():
    feed = Feed({"camera": 1.0, "slides": 0.5})
    for number in range(SOUND_LIMIT_BLOCKS + 30):
        feed.offer_played(block(number + 1))
    assert feed.counts.dropped_played == 30
    assert feed.take(0) == [], "without the room's sound it need not be worked on"
    feed.close()
    feed.offer_played(block(1))
    assert feed.counts.dropped_played == 30


def test_what_the_teachers_microphone_hears_is_handed_on_with_its_silence():
    feed = Feed({"camera": 1.0, "slides": 0.5})
    for number in range(10):
        feed.offer_block(block(number))
        feed.offer_teacher(block(0, number * 20_000_000))
    teacher, room = feed.take(0)
    assert (teacher.kind, len(teacher.blocks), room.kind) == (Kind.TEACHER, 10, Kind.SOUND)
    for number in range(SOUND_LIMIT_BLOCKS + 5):
        feed.offer_teacher(block(number))
    assert feed.counts.dropped_teacher == 5


def test_a_card_that_stands_in_for_slides_is_no_slide():
    feed = Feed({"camera": 1.0, "slides": 0.5})
    picture = frame(0).picture
    feed.offer_frame("slides", Frame(picture, 0, stand_in=True))
    assert feed.take(0) == []
    feed.offer_frame("slides", Frame(picture, SECOND))
    assert taken_pictures(feed) == [("slides", SECOND)]


def test_a_card_that_stands_in_for_the_camera_shows_nothing_of_the_room():
    message = Packer().message(("camera", Frame(frame(0).picture, 5, stand_in=True)))
    assert (message.kind, message.mono_ns) == (Kind.CAMERA, 5)
    assert not unpacked_picture(message.payload, 3).any()


def test_another_cadence_holds_from_the_next_picture_on():
    feed = Feed({"camera": 1.0, "slides": 0.5})
    taken = []
    for second in range(9):
        if second == 3:
            feed.set_period("camera", 2.0)
        feed.offer_frame("camera", frame(second * SECOND))
        taken += taken_pictures(feed)
    assert [at // SECOND for _, at in taken] == [0, 1, 2, 3, 5, 7]
