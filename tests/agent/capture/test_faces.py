"""Which part of a picture may show a face."""

import numpy as np
import pytest

from agent.capture.faces import CAUTION, FaceCover, Look

GRID = (90, 160)
S = 1_000_000_000
NOBODY = np.zeros((0, 4), np.float32)
CHANGE, HOLD_S = CAUTION.change, CAUTION.change_hold_s


def room(brightness: int = 100) -> np.ndarray:
    return np.full((*GRID, 3), brightness, np.uint8)


def face(left: float, top: float, side: float = 0.05) -> np.ndarray:
    return np.asarray([[left, top, left + side, top + side * 16 / 9]], np.float32)


def test_before_the_first_look_everything_is_covered():
    assert FaceCover(GRID).cells(room(), 0).all()


def test_a_face_is_covered_with_a_rim_and_the_rest_is_not():
    cover = FaceCover(GRID)
    cover.take(Look(0, room(), face(0.5, 0.5)))
    cells = cover.cells(room(), S // 10)
    assert cells[44:54, 79:89].all()
    assert 80 < cells.sum() < 250


def test_an_empty_room_is_shown():
    cover = FaceCover(GRID)
    cover.take(Look(0, room(), NOBODY))
    assert not cover.cells(room(), S // 10).any()


def test_whatever_changed_since_the_last_look_is_covered_and_what_is_near_it():
    cover = FaceCover(GRID)
    cover.take(Look(0, room(), NOBODY))
    now = room()
    now[20:24, 30:34, 0] += CHANGE
    cells = cover.cells(now, S // 10)
    assert cells[19:25, 29:35].all()
    assert cells.sum() < 120


def test_noise_covers_nothing():
    cover = FaceCover(GRID)
    cover.take(Look(0, room(), NOBODY))
    noisy = room()
    noisy[::2, :, 0] += CHANGE - 1
    assert not cover.cells(noisy, S // 10).any()


def test_what_moved_stays_covered_until_looks_have_had_their_chance():
    cover = FaceCover(GRID)
    cover.take(Look(0, room(), NOBODY))
    now = room()
    now[20:24, 30:34, 0] += 50
    cover.cells(now, S // 10)
    cover.take(Look(S // 10, now, NOBODY))
    assert cover.cells(now, S // 10 + round(HOLD_S * S * 0.9))[21, 31]
    assert not cover.cells(now, S // 10 + round(HOLD_S * S * 1.1)).any()


def test_a_change_that_one_look_missed_by_a_moment_is_covered_against_that_look():
    """The look is told late: what came while it was under way changed since the picture it was taken of."""
    cover = FaceCover(GRID)
    cover.take(Look(0, room(), NOBODY))
    entered = room()
    entered[20:24, 30:34, 0] += 50
    cover.take(Look(S // 2, room(), NOBODY))
    assert cover.cells(entered, S)[21, 31]


def test_a_face_that_a_look_misses_is_held_and_then_let_go():
    cover = FaceCover(GRID)
    cover.take(Look(0, room(), face(0.5, 0.5)))
    held = round(CAUTION.face_hold_s * S)
    for now in range(S // 2, held + 1, S // 2):
        cover.take(Look(now, room(), NOBODY))
        assert cover.cells(room(), now)[48, 84]
    cover.take(Look(held + S // 2, room(), NOBODY))
    assert not cover.cells(room(), held + S // 2).any()


def test_a_face_that_moved_a_little_leaves_no_trail_and_its_neighbour_stays_held():
    cover = FaceCover(GRID)
    both = np.concatenate([face(0.3, 0.5), face(0.6, 0.5)])
    cover.take(Look(0, room(), both))
    first = cover.cells(room(), 0).sum()
    cover.take(Look(S, room(), face(0.31, 0.5)))
    cells = cover.cells(room(), S)
    assert cells[48, 100]
    assert cells.sum() <= first * 1.1


def test_a_late_look_covers_everything_until_there_is_another():
    cover = FaceCover(GRID)
    cover.take(Look(0, room(), NOBODY))
    late = round(CAUTION.late_s * S)
    assert cover.fresh(late)
    assert not cover.cells(room(), late).any()
    assert not cover.fresh(late + 1)
    assert cover.cells(room(), late + 1).all()
    cover.take(Look(late, room(), NOBODY))
    assert not cover.cells(room(), late + 1).any()


def test_a_look_that_comes_after_a_newer_one_counts_for_nothing():
    cover = FaceCover(GRID)
    cover.take(Look(S, room(), face(0.5, 0.5)))
    cover.take(Look(0, room(200), NOBODY))
    assert 0 < cover.cells(room(), S).sum() < 250


@pytest.mark.parametrize("looked", [False, True])
def test_a_clear_area_is_never_covered_and_only_cells_wholly_in_it_are_clear(*, looked: bool):
    cover = FaceCover(GRID, [((0.251, 0.0), (0.5, 0.5))])
    if looked:
        cover.take(Look(0, room(), face(0.3, 0.2, 0.4)))
    cells = cover.cells(room(200), 0)
    assert not cells[:44, 41:79].any()
    assert cells[:, :41].all()
    assert cells[46:].all()
    assert cells[:, 80:].all()
