import threading
import time

import av

from agent.stream.showing import HELD_MAX, Showing
from tests.patience import until

MS = 1_000_000


class Wall:
    """Remembers when it was shown what."""

    def __init__(self) -> None:
        self.shown: list[tuple[int, int]] = []
        self.threads: set[str] = set()

    def __call__(self, picture: av.VideoFrame) -> None:
        self.shown.append((picture.pts, time.monotonic_ns()))
        self.threads.add(threading.current_thread().name)


def numbered(number: int) -> av.VideoFrame:
    picture = av.VideoFrame(16, 16, "yuv420p")
    picture.pts = number
    return picture


def test_a_picture_that_is_due_is_shown_at_once_and_without_a_thread():
    wall = Wall()
    showing = Showing("camera.far", wall)
    showing.put(numbered(1), time.monotonic_ns())
    assert [number for number, _ in wall.shown] == [1]
    assert wall.threads == {threading.current_thread().name}
    showing.close()


def test_pictures_are_held_until_they_are_due_and_stay_in_order():
    wall = Wall()
    showing = Showing("camera.far", wall)
    now = time.monotonic_ns()
    due = [now + 60 * MS, now + 100 * MS, now + 80 * MS]
    for number, at in enumerate(due):
        showing.put(numbered(number), at)
    until(lambda: len(wall.shown) >= 3)
    showing.close()
    assert [number for number, _ in wall.shown] == [0, 1, 2]
    assert all(at >= due[number] for number, at in wall.shown)


def test_a_picture_never_overtakes_one_that_is_held():
    wall = Wall()
    showing = Showing("camera.far", wall)
    now = time.monotonic_ns()
    showing.put(numbered(0), now + 50 * MS)
    showing.put(numbered(1), now)
    until(lambda: len(wall.shown) >= 2)
    showing.close()
    assert [number for number, _ in wall.shown] == [0, 1]


def test_only_so_many_pictures_are_held_and_the_oldest_go_first():
    wall = Wall()
    showing = Showing("camera.far", wall)
    due = time.monotonic_ns() + 500 * MS
    for number in range(HELD_MAX + 3):
        showing.put(numbered(number), due)
    until(lambda: len(wall.shown) >= HELD_MAX)
    showing.close()
    assert [number for number, _ in wall.shown] == list(range(3, HELD_MAX + 3))
    assert showing.dropped == 3


def test_closing_shows_nothing_more_and_leaves_no_thread():
    wall = Wall()
    showing = Showing("camera.of-a-closed-room", wall)
    showing.put(numbered(1), time.monotonic_ns() + 10_000 * MS)
    showing.close()
    showing.put(numbered(2), time.monotonic_ns())
    assert wall.shown == []
    assert not [one for one in threading.enumerate() if "of-a-closed-room" in one.name]
