"""What is frosted cannot be brought back, and what is not stays as it was."""

import numpy as np
import pytest

from agent.capture.frost import frost, frosted, grid, small
from agent.capture.picture import framed, planes

SIZES = [(1280, 720), (640, 360), (322, 182), (64, 36), (240, 320)]


def speckled(size: tuple[int, int], seed: int = 1) -> np.ndarray:
    width, height = size
    return np.random.default_rng(seed).integers(16, 236, (height * 3 // 2, width), dtype=np.uint8)


@pytest.mark.parametrize("size", SIZES)
def test_only_covered_cells_change_and_all_their_pixels_with_their_colour_do(size: tuple[int, int]):
    before, rows_columns = speckled(size), grid(size)
    covered = np.zeros(rows_columns, bool)
    covered[rows_columns[0] // 3 : rows_columns[0] // 2, 4:9] = True
    after = before.copy()
    frost(after, small(after, size), covered)
    for one, other in zip(planes(before, *size), planes(after, *size), strict=True):
        high, wide = one.shape
        inside = covered[np.arange(high) * rows_columns[0] // high][:, np.arange(wide) * rows_columns[1] // wide]
        assert (one[~inside] == other[~inside]).all()
        assert other[inside].std() < 20 < one[inside].std()


@pytest.mark.parametrize("size", SIZES)
def test_two_pictures_that_differ_within_squares_alone_are_one_behind_the_glass(size: tuple[int, int]):
    """Nothing finer than the squares' means is left: swapping pixels within a square changes nothing."""
    width, height = size
    one = np.full((height * 3 // 2, width), 128, np.uint8)
    other = one.copy()
    # A pattern of single pixels that is even in every cell.
    one[:height:2, ::2], one[1:height:2, 1::2] = 60, 60
    other[:height:2, 1::2], other[1:height:2, ::2] = 60, 60
    assert (one != other).any()
    behind = [frosted(framed(buffer)).to_ndarray()[:height].astype(int) for buffer in (one, other)]
    assert np.abs(behind[0] - behind[1]).max() <= 30 * (height < 180)


def test_a_sharp_edge_is_gone():
    buffer = np.full((1080, 1280), 128, np.uint8)
    buffer[:720, :640], buffer[:720, 640:] = 30, 220
    luma = frosted(framed(buffer)).to_ndarray()[:720].astype(int)
    assert np.abs(np.diff(luma, axis=1)).max() <= 5


def test_the_picture_that_was_handed_in_is_not_written_on():
    before = speckled((320, 180))
    picture = framed(before.copy())
    frosted(picture)
    assert (picture.to_ndarray() == before).all()
