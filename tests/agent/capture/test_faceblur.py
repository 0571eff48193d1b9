"""No picture leaves the camera with a face in it that nobody has looked for."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import psutil
import pytest

from agent.capture.faceblur import FaceBlur, FaceBlurred, faceless
from agent.capture.facefinder import FaceFinder, FinderLimits
from agent.capture.faces import CAUTION, Look
from agent.capture.frame import Frame
from agent.capture.frost import frosted
from agent.capture.masks import RoomMasks
from agent.capture.picture import framed, from_bgr
from agent.capture.sources import open_room, parse_source
from agent.encode.video import VideoEncoder
from tests.models.faces import classroom
from tests.patience import LIMIT_S

SIZE = (1280, 720)
S = 1_000_000_000
NOBODY = np.zeros((0, 4), np.float32)


def speckled(seed: int = 1, size: tuple[int, int] = SIZE) -> np.ndarray:
    """A picture in which every pixel tells whether it was frosted."""
    return np.random.default_rng(seed).integers(16, 236, (size[1] * 3 // 2, size[0]), dtype=np.uint8)


class Pictures:
    """Pictures one after the other, at the times they are given."""

    fps = 25

    def __init__(self, pictures: list[tuple[av.VideoFrame, int]], size: tuple[int, int] = SIZE) -> None:
        self.width, self.height = size
        self._pictures = pictures

    def frames(self, stop: threading.Event) -> Iterator[Frame]:
        for picture, mono_ns in self._pictures:
            yield Frame(picture, mono_ns)


class Beat:
    """One picture for ever, at 25 a second, until it is shown another one."""

    fps = 25

    def __init__(self, buffer: np.ndarray) -> None:
        self.height, self.width = len(buffer) * 2 // 3, buffer.shape[1]
        self.buffer = buffer

    def frames(self, stop: threading.Event) -> Iterator[Frame]:
        while not stop.wait(0.04):
            yield Frame(framed(self.buffer), time.monotonic_ns())


class Scripted:
    """A finder that tells looks when the test says so."""

    def __init__(self) -> None:
        self.offers: list[tuple[np.ndarray, int]] = []
        self.running = False
        self.look: Callable[[Look], None]
        self.trouble: Callable[[str], None]

    def make(self, on_look: Callable[[Look], None], on_trouble: Callable[[str], None]) -> "Scripted":
        self.look, self.trouble = on_look, on_trouble
        return self

    def start(self) -> None:
        self.running = True

    def offer(self, picture: av.VideoFrame, small: np.ndarray, mono_ns: int) -> None:
        self.offers.append((small, mono_ns))

    def stop(self) -> None:
        self.running = False

    def looked(self, boxes: np.ndarray = NOBODY) -> None:
        """The last picture offered was looked at."""
        self.look(Look(self.offers[-1][1], self.offers[-1][0], boxes))


def whole(frame: Frame) -> bool:
    """Whether nothing of a speckled picture is left; neighbours differ by 70 in one."""
    luma = frame.picture.to_ndarray()[: frame.picture.height].astype(int)
    return bool(np.abs(np.diff(luma, axis=1)).mean() < 3)


def at_25_hz(buffers: list[np.ndarray]) -> list[tuple[av.VideoFrame, int]]:
    return [(framed(buffer), number * S // 25) for number, buffer in enumerate(buffers)]


def test_without_the_blur_the_source_is_the_source():
    source = Pictures([])
    assert faceless(source, None, pytest.fail) is source


def test_all_is_frosted_until_the_first_look_and_then_faces_alone(stop):
    finder, told = Scripted(), []
    source = Pictures(at_25_hz([speckled()] * 4))
    frames = FaceBlurred(source, (), finder.make, told.append).frames(stop)
    assert whole(next(frames))
    assert whole(next(frames))
    finder.looked(np.asarray([[0.5, 0.5, 0.55, 0.6]], np.float32))
    shown = next(frames)
    before, after = speckled()[:720], shown.picture.to_ndarray()[:720]
    assert np.abs(np.diff(after[360:432, 640:704].astype(int), axis=1)).mean() < 3
    assert (before == after).mean() > 0.97
    assert shown.mono_ns == 2 * S // 25
    assert told == []


def test_a_face_that_enters_between_two_looks_is_frosted_in_its_first_picture(stop):
    finder = Scripted()
    empty = np.full_like(speckled(), 128)
    entered = empty.copy()
    entered[300:380, 600:680] = speckled()[300:380, 600:680] // 2
    frames = FaceBlurred(Pictures(at_25_hz([empty, empty, entered])), (), finder.make, pytest.fail).frames(stop)
    next(frames)
    finder.looked()
    assert (next(frames).picture.to_ndarray() == empty).all()
    luma = next(frames).picture.to_ndarray()[:720].astype(int)
    assert np.abs(np.diff(luma[300:380, 600:680], axis=1)).mean() < 3


def test_a_finder_that_is_late_frosts_all_and_says_so_and_says_when_it_is_back(stop):
    finder, told = Scripted(), []
    frames = FaceBlurred(Pictures(at_25_hz([speckled()] * 400)), (), finder.make, told.append).frames(stop)
    next(frames)
    finder.looked()
    late = round(CAUTION.late_s * 25) + 1
    assert not any(whole(next(frames)) for _ in range(late - 1))
    assert all(whole(next(frames)) for _ in range(300))
    (said,) = told
    assert said.startswith("the camera's whole picture is blurred")
    finder.looked()
    assert not whole(next(frames))
    assert told[1:] == ["faces are found again: the rest of the camera's picture is shown"]


def test_why_there_are_no_looks_is_told_once(stop):
    finder, told = Scripted(), []
    frames = FaceBlurred(Pictures(at_25_hz([speckled()] * 9)), (), finder.make, told.append).frames(stop)
    next(frames)
    finder.trouble("the model is gone")
    finder.trouble("the model is gone")
    assert all(whole(frame) for frame in frames)
    assert told == ["the camera's whole picture is blurred, because faces in it are not found: the model is gone"]


def test_each_reading_begins_anew_with_all_frosted(stop):
    finder = Scripted()
    source = FaceBlurred(Pictures(at_25_hz([speckled()] * 3)), (), finder.make, pytest.fail)
    frames = source.frames(stop)
    next(frames)
    finder.looked()
    assert not whole(next(frames))
    frames.close()
    assert not finder.running
    assert whole(next(source.frames(stop)))


def test_a_card_that_stands_in_can_be_read_and_what_follows_it_is_frosted_whole(stop):
    class Away(Pictures):
        def frames(self, stop: threading.Event) -> Iterator[Frame]:
            for number, frame in enumerate(super().frames(stop)):
                yield replace(frame, mono_ns=number * S, stand_in=number < 3)

    finder, observed = Scripted(), []
    source = FaceBlurred(Away(at_25_hz([speckled()] * 4)), (), finder.make, pytest.fail)
    source.add_observer(observed.append)
    frames = list(source.frames(stop))
    assert [frame.stand_in for frame in observed] == [True, True, True, False]
    assert [whole(frame) for frame in frames] == [False, False, False, True]
    assert len(finder.offers) == 1


def test_another_picture_than_the_one_looked_at_is_frosted_whole(stop):
    """A camera that comes back shows something else than its card: all of it has changed."""
    finder = Scripted()
    card, back = np.full_like(speckled(), 40), speckled()
    frames = FaceBlurred(Pictures(at_25_hz([card, card, back])), (), finder.make, pytest.fail).frames(stop)
    next(frames)
    finder.looked()
    next(frames)
    assert whole(next(frames))


@pytest.mark.parametrize(
    ("picture", "words"),
    [
        (framed(speckled(size=(640, 360))), "1280x720 yuv420p was to come, 640x360 yuv420p came"),
        (framed(speckled()).reformat(format="rgb24"), "1280x720 rgb24 came"),
    ],
)
def test_a_picture_of_another_size_or_format_is_withheld_and_told_once(picture, words, stop):
    finder, told = Scripted(), []
    source = FaceBlurred(Pictures([(picture, 0), (picture, 1)]), (), finder.make, told.append)
    frames = list(source.frames(stop))
    assert source.withheld == 2
    for frame in frames:
        assert (frame.picture.width, frame.picture.height) == SIZE
        assert frame.picture.to_ndarray()[:720].mean() < 100
    assert len(told) == 1
    assert words in told[0]


def test_a_fault_withholds_the_picture(monkeypatch, stop):
    def unforeseen(*_: object) -> None:
        raise RuntimeError("unforeseen")

    monkeypatch.setattr("agent.capture.faceblur.frost", unforeseen)
    told: list[str] = []
    (frame,) = FaceBlurred(Pictures(at_25_hz([speckled()])), (), Scripted().make, told.append).frames(stop)
    assert not (frame.picture.to_ndarray() == speckled()).mean() > 0.1
    assert len(told) == 1


def test_encoder_and_frame_takers_get_frosted_pictures_and_observers_of_this_machine_the_others():
    finder = Scripted()
    source = FaceBlurred(Beat(speckled(size=(320, 180))), (), finder.make, pytest.fail)
    encoder = VideoEncoder("camera", source, 3_000_000, pytest.fail)
    packets, taken, observed = [], [], []
    encoder.add_taker(packets.append)
    encoder.add_frame_taker(taken.append)
    source.add_observer(observed.append)
    encoder.start()
    assert encoder.first_frame.wait(LIMIT_S)
    encoder.stop()
    decoder = av.CodecContext.create("h264", "r")
    shown = [Frame(picture, 0) for packet in packets for picture in decoder.decode(av.Packet(packet.data))]
    shown += [Frame(picture, 0) for picture in decoder.decode(None)]
    assert shown
    assert all(whole(frame) for frame in [*shown, *taken])
    assert observed
    assert not any(whole(frame) for frame in observed)


def test_masks_lie_below_the_blur_and_hold_for_observers_too(stop):
    finder = Scripted()

    class Blur(FaceBlur):
        def finder(self, on_look, on_trouble):
            return finder.make(on_look, on_trouble)

    masks = RoomMasks(camera=(((0.0, 0.0), (0.5, 0.5)),), faces=Blur(Path()))
    source = masks.laid_over(Pictures(at_25_hz([speckled()] * 2)), pytest.fail)
    assert isinstance(source, FaceBlurred)
    observed: list[Frame] = []
    source.add_observer(observed.append)
    frames = source.frames(stop)
    next(frames)
    finder.looked()
    for frame in (next(frames), *observed):
        assert (frame.picture.to_ndarray()[:360, :640] == 16).all()


def test_clear_areas_drawn_on_another_shape_are_blurred_too_and_that_is_told(stop):
    told: list[str] = []
    masks = RoomMasks(drawn_on=(640, 480), faces=FaceBlur(Path("nowhere"), (((0.0, 0.0), (1.0, 1.0)),)))
    source = masks.laid_over(Pictures(at_25_hz([speckled()])), told.append)
    assert "drawn on a picture of 640x480" in told[0]
    assert all(whole(frame) for frame in source.frames(stop))


# The real process.


def until(frames: Iterator[Frame], is_so: Callable[[Frame], bool]) -> Frame:
    deadline = time.monotonic() + 3 * LIMIT_S  # the process has a low priority
    for frame in frames:
        if is_so(frame):
            return frame
        assert time.monotonic() < deadline, "it did not come about"
    raise AssertionError("the pictures ended")


def test_without_the_model_all_is_frosted_and_it_is_said_what_to_do(tmp_path: Path, stop):
    told: list[str] = []
    frames = FaceBlurred(Beat(speckled()), (), FaceBlur(tmp_path).finder, told.append).frames(stop)
    seen = []
    until(frames, lambda frame: seen.append(frame) or bool(told))
    assert "tongtang models install" in told[0]
    assert all(whole(frame) for frame in seen)
    stop.set()
    assert list(frames) == []


@pytest.mark.models("centerface")
def test_real_faces_are_found_and_frosted_and_the_wall_between_them_is_not(models: Path, stop):
    image = classroom(3, 4, size=140, width=1280, height=720)
    buffer = from_bgr(image)
    frames = FaceBlurred(Beat(buffer), (), FaceBlur(models).finder, pytest.fail).frames(stop)
    everything = frosted(framed(buffer)).to_ndarray()
    first = next(frames).picture.to_ndarray()
    assert (first == everything).all()
    frame = until(frames, lambda frame: bool((frame.picture.to_ndarray() != everything).any()))
    after = frame.picture.to_ndarray()
    # The portrait's face is its upper middle; see tests/models/faces.py.
    for row in range(3):
        for column in range(4):
            left, top = column * 320 + 90, row * 240 + 50
            eyes = (slice(top + 35, top + 70), slice(left + 45, left + 85))
            assert (after[eyes] == everything[eyes]).all()
    assert (after[:720, 300:330] == buffer[:720, 300:330]).mean() > 0.9


@pytest.mark.models("centerface")
def test_a_finder_that_is_killed_frosts_all_until_another_takes_its_place(models: Path, stop):
    made: list[FaceFinder] = []

    def make(on_look: Callable[[Look], None], on_trouble: Callable[[str], None]) -> FaceFinder:
        made.append(FaceFinder(models, on_look, on_trouble, FinderLimits(back_off_s=4.0)))
        return made[0]

    told: list[str] = []
    frames = FaceBlurred(Beat(speckled()), (), make, told.append).frames(stop)
    until(frames, lambda frame: not whole(frame))
    first = made[0].pid
    assert first is not None
    psutil.Process(first).kill()
    until(frames, lambda frame: whole(frame) and any("ended by itself" in words for words in told))
    until(frames, lambda frame: not whole(frame))
    assert made[0].pid != first
    assert any("found again" in words for words in told)
    stop.set()
    assert list(frames) == []
    assert made[0].pid is None


@pytest.mark.skipif(sys.platform == "win32", reason="a process cannot be frozen with a signal there")
@pytest.mark.models("centerface")
def test_a_finder_that_hangs_frosts_all_and_is_replaced(models: Path, stop):
    made: list[FaceFinder] = []

    def make(on_look: Callable[[Look], None], on_trouble: Callable[[str], None]) -> FaceFinder:
        made.append(FaceFinder(models, on_look, on_trouble, FinderLimits(look_s=4.0)))
        return made[0]

    told: list[str] = []
    frames = FaceBlurred(Beat(speckled()), (), make, told.append).frames(stop)
    until(frames, lambda frame: not whole(frame))
    first = made[0].pid
    assert first is not None
    os.kill(first, signal.SIGSTOP)
    until(frames, lambda frame: whole(frame) and any("has not answered" in words for words in told))
    until(frames, lambda frame: not whole(frame))
    assert made[0].pid != first
    assert not psutil.pid_exists(first)


def test_a_room_whose_faces_are_blurred_shows_nothing_without_a_look(tmp_path: Path, stop):
    masks = RoomMasks(faces=FaceBlur(tmp_path))
    plain = open_room(parse_source("rehearsal"), size=SIZE, fps=25, seed=1, has_slides=True)
    room = open_room(parse_source("rehearsal"), size=SIZE, fps=25, seed=1, has_slides=True, masks=masks)
    shown = next(room.camera.frames(stop)).picture.to_ndarray()[:720].astype(int)
    sharp = next(plain.camera.frames(stop)).picture.to_ndarray()[:720].astype(int)
    assert np.abs(np.diff(shown, axis=1)).max() < 12 < np.abs(np.diff(sharp, axis=1)).max()
    assert not isinstance(room.slides, FaceBlurred)
