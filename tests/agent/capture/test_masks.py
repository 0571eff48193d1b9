"""What is masked is black for everyone who looks at the picture, and what cannot be masked is not shown."""

import threading
from collections.abc import Iterator

import av
import numpy as np
import pytest

from agent.area import Area, outline
from agent.capture.frame import Frame, SourceLost
from agent.capture.masks import Cover, MaskedPicture, RoomMasks, masked
from agent.capture.sources import open_room, parse_source
from agent.encode.video import VideoEncoder
from tests.agent.sources import MovingBars

WINDOW = ((0.0, 0.0), (0.25, 0.5))
DOOR = ((0.6, 0.2), (0.95, 0.3), (0.9, 0.9), (0.65, 0.8))
SHAPE = (16, 9)


def bright(width: int = 320, height: int = 180, luma: int = 200, blue: int = 90, red: int = 170) -> av.VideoFrame:
    planes = np.full((height * 3 // 2, width), luma, np.uint8)
    quarter = width * height // 4
    planes.reshape(-1)[width * height : width * height + quarter] = blue
    planes.reshape(-1)[width * height + quarter :] = red
    return av.VideoFrame.from_ndarray(planes, "yuv420p")


def parts(picture: av.VideoFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    width, height = picture.width, picture.height
    flat = picture.to_ndarray().reshape(-1)
    quarter = width * height // 4
    luma, blue, red = np.split(flat, [width * height, width * height + quarter])
    return luma.reshape(height, width), blue.reshape(height // 2, -1), red.reshape(height // 2, -1)


def inside(area: Area, size: tuple[int, int]) -> np.ndarray:
    """Pixels whose middle lies in the area, by the rule of odd crossings; shape (height, width)."""
    width, height = size
    x, y = np.meshgrid((np.arange(width) + 0.5) / width, (np.arange(height) + 0.5) / height)
    polygon = outline(area)
    found = np.zeros((height, width), bool)
    for (ax, ay), (bx, by) in zip(polygon, [*polygon[1:], polygon[0]], strict=True):
        if ay != by:
            found ^= ((ay > y) != (by > y)) & (x < (bx - ax) * (y - ay) / (by - ay) + ax)
    return found


class Still:
    """The same picture, so many times."""

    fps = 25

    def __init__(self, picture: av.VideoFrame, count: int = 3, size: tuple[int, int] | None = None) -> None:
        self.width, self.height = size or (picture.width, picture.height)
        self._picture, self._count = picture, count

    def frames(self, stop: threading.Event) -> Iterator[Frame]:
        for number in range(self._count):
            yield Frame(self._picture, number)


@pytest.mark.parametrize("size", [(320, 180), (1280, 720), (322, 182)])
@pytest.mark.parametrize("area", [WINDOW, DOOR, ((0.31, 0.41), (0.33, 0.47)), ((0.9, 0.9), (1.0, 1.0))])
def test_every_pixel_of_an_area_is_black_with_its_colour_and_little_more(area: Area, size: tuple[int, int]):
    luma, blue, red = parts(Cover([area], size).over(bright(*size)))
    wanted = inside(area, size)
    assert (luma[wanted] == 16).all()
    quarter = wanted.reshape(size[1] // 2, 2, size[0] // 2, 2).any(axis=(1, 3))
    assert (blue[quarter] == 128).all()
    assert (red[quarter] == 128).all()
    assert set(np.unique(luma)) == {16, 200}
    width, height = size
    rim = 2 * (width + height) * (max(1, round(height / 360)) + 3)
    assert (luma == 16).sum() - wanted.sum() <= rim


def test_what_no_area_covers_stays_as_it_was():
    luma, blue, red = parts(Cover([WINDOW], (320, 180)).over(bright()))
    assert (luma[:, 90:] == 200).all()
    assert (blue[:, 45:] == 90).all()
    assert (red[:, 45:] == 170).all()


def test_areas_may_lie_over_each_other():
    luma, _, _ = parts(Cover([WINDOW, ((0.1, 0.1), (0.5, 0.6))], (320, 180)).over(bright()))
    assert (luma[inside(WINDOW, (320, 180))] == 16).all()


def test_the_sources_own_picture_is_not_written_on():
    picture = bright()
    Cover([WINDOW], (320, 180)).over(picture)
    assert (parts(picture)[0] == 200).all()


def test_without_areas_the_source_is_the_source():
    source = Still(bright())
    assert masked("the camera's picture", source, (), SHAPE, pytest.fail) is source


def test_a_masked_source_gives_covered_pictures_at_the_sources_times():
    source = masked("the camera's picture", Still(bright()), [WINDOW], SHAPE, pytest.fail)
    frames = list(source.frames(threading.Event()))
    assert [frame.mono_ns for frame in frames] == [0, 1, 2]
    assert all((parts(frame.picture)[0][inside(WINDOW, (320, 180))] == 16).all() for frame in frames)


@pytest.mark.parametrize(
    ("source", "areas", "drawn_on", "words"),
    [
        (Still(bright(240, 180)), [WINDOW], SHAPE, "drawn on a picture of 16x9 and this one is 240x180"),
        (Still(bright(320, 240), size=(320, 180)), [WINDOW], SHAPE, "cannot cover 320x240"),
        (Still(bright().reformat(format="rgb24")), [WINDOW], SHAPE, "cannot cover 320x180 rgb24"),
    ],
)
def test_what_cannot_be_masked_is_withheld_and_told_once(source, areas, drawn_on, words):
    told: list[str] = []
    one = MaskedPicture("the camera's picture", source, areas, drawn_on, told.append)
    frames = list(one.frames(threading.Event()))
    assert len(frames) == one.withheld == 3
    for frame in frames:
        assert (frame.picture.width, frame.picture.height) == (source.width, source.height)
        assert parts(frame.picture)[0].mean() < 100, "the card stands there, not the bright room"
    (said,) = told
    assert said.startswith("the camera's picture is withheld")
    assert words in said


def test_a_fault_in_masking_withholds_the_picture(monkeypatch):
    def unforeseen(_cover, _picture):
        raise RuntimeError("unforeseen")

    monkeypatch.setattr(Cover, "over", unforeseen)
    told: list[str] = []
    source = masked("the camera's picture", Still(bright()), [WINDOW], SHAPE, told.append)
    assert all(parts(frame.picture)[0].mean() < 100 for frame in source.frames(threading.Event()))
    assert len(told) == 1


def test_a_masked_source_that_is_lost_says_so_as_before():
    class Torn(Still):
        def frames(self, stop: threading.Event) -> Iterator[Frame]:
            yield from super().frames(stop)
            raise SourceLost("the camera is gone")

    frames = masked("the camera's picture", Torn(bright()), [WINDOW], SHAPE, pytest.fail).frames(threading.Event())
    with pytest.raises(SourceLost, match="the camera is gone"):
        list(frames)


def test_a_masked_room_shows_nobody_its_areas(stop):
    masks = RoomMasks(camera=(WINDOW,), slides=(DOOR,), drawn_on=SHAPE)
    room = open_room(parse_source("rehearsal"), size=(320, 180), fps=25, seed=1, has_slides=True, masks=masks)
    for source, area in ((room.camera, WINDOW), (room.slides, DOOR)):
        frame = next(source.frames(stop))
        luma = parts(frame.picture)[0]
        hidden = inside(area, (frame.picture.width, frame.picture.height))
        assert (luma[hidden] == 16).all()
        assert luma[~hidden].mean() > 60


def test_neither_packets_nor_frame_takers_get_a_masked_area():
    source = masked("the camera's picture", MovingBars(), [WINDOW], SHAPE, pytest.fail)
    encoder = VideoEncoder("camera", source, 300_000, pytest.fail)
    packets, frames = [], []
    encoder.add_taker(packets.append)
    encoder.add_frame_taker(frames.append)
    encoder.start()
    assert encoder.first_frame.wait(10)
    encoder.stop()
    decoder = av.CodecContext.create("h264", "r")
    shown = [picture for packet in packets for picture in decoder.decode(av.Packet(packet.data))]
    shown += decoder.decode(None)
    hidden = inside(WINDOW, (320, 180))
    assert shown
    assert all((parts(frame.picture)[0][hidden] == 16).all() for frame in frames)
    for picture in shown:
        assert parts(picture)[0][:80, :72].max() < 40, "bars are 60 and 180 bright; the area is not, but for ringing"
