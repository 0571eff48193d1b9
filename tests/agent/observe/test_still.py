import numpy as np
import pytest

from agent.observe.still import HEIGHT, STILL_S, WIDTH, Seen, Still, shrunk
from tests.models.faces import classroom

SECOND = 1_000_000_000


def noisy(picture: np.ndarray, seed: int, levels: float) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, levels, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def shifted(size: int, pixels: int) -> np.ndarray:
    """32 portraits of `size`, one of which stands so many pixels to the right."""
    picture = classroom(4, 8, size)
    seat = picture[96:192, 240:320].copy()
    picture[96:192, 240:320] = 127
    picture[96:192, 240 + pixels : 320 + pixels] = seat
    return picture


def holds(one: np.ndarray, other: np.ndarray) -> bool:
    still = Still()
    still.keep(shrunk(one))
    return still.holds(shrunk(other))


def test_nothing_is_still_before_anything_was_looked_at():
    assert not Still().holds(shrunk(classroom(1, 1)))


@pytest.mark.parametrize("levels", [0, 2, 5, 8])
def test_the_noise_of_a_poor_camera_is_no_movement(levels: float):
    room = classroom(4, 8)
    assert all(holds(noisy(room, seed, levels), noisy(room, seed + 100, levels)) for seed in range(5))


@pytest.mark.parametrize("size", [32, 44, 60])
def test_one_pupil_who_leans_by_a_pixel_or_more_moves(size: int):
    assert not any(holds(shifted(size, 0), shifted(size, pixels)) for pixels in (1, 2, 4))


def test_somebody_who_goes_and_light_that_goes_on_are_movement():
    room = classroom(4, 8)
    gone = room.copy()
    gone[0:96, 0:80] = 127
    assert not holds(room, gone)
    assert not holds(room, np.clip(room.astype(int) + 12, 0, 255).astype(np.uint8))


def test_the_small_picture_is_of_one_size_whatever_the_large_one_is():
    assert {shrunk(classroom(1, 1, width=w, height=h)).shape for w, h in ((640, 384), (640, 360), (320, 240))} == {
        (HEIGHT, WIDTH)
    }


def test_what_was_seen_stands_while_nothing_moves_and_for_no_longer_than_it_may():
    seen: Seen[str] = Seen()
    small = shrunk(classroom(2, 2))
    assert not seen.stands(small, 0)
    seen.look("two", small, 0)
    assert seen.stands(small, round((STILL_S - 1) * SECOND))
    assert not seen.stands(small, round(STILL_S * SECOND))
    assert not seen.stands(shrunk(classroom(2, 3)), SECOND)
    assert not seen.stands(small, -SECOND), "a clock that steps back says nothing of how long ago it was"
