"""A bound lies above every plan, close above the best, and can be checked by whoever trusts no solver."""

from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.schedule.chosen import chosen_of, points
from hub.schedule.compiling import compile_district
from hub.schedule.errors import BoundWrong
from hub.schedule.generate import planted
from hub.schedule.plan import fingerprint
from hub.schedule.solve.bound import SCALE, Bound, bound, verify_bound
from hub.schedule.solve.milp import holds
from hub.schedule.solve.prices import DEAREST, sought, value_at
from hub.schedule.solve.program import program
from hub.schedule.wants import Pin, Request
from tests.hub.schedule.solve.tiny import best, district, problem


@pytest.fixture(scope="module")
def town():
    district, plan = planted(schools=12, rooms=50, requests=150, seed=2)
    return compile_district(district), plan


@pytest.fixture(scope="module")
def proven(town):
    return bound(town[0])


@settings(max_examples=40, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(0, 2**31), st.booleans())
def test_no_prices_however_wild_prove_less_than_the_best_plan_is_worth(random, seed, pinned):
    compiled = problem(random, pinned=pinned)
    most = best(compiled)
    if most is None:
        return
    wanted = program(compiled)
    wild = np.random.default_rng(seed).integers(0, 2000 * SCALE, len(wanted.most))
    assert value_at(wanted, wild, SCALE) >= most
    assert value_at(wanted, np.rint(sought(wanted, steps=300) * SCALE).astype(np.int64), SCALE) >= most


@settings(max_examples=15, deadline=None)
@given(st.randoms(use_true_random=False))
def test_with_time_to_search_the_bound_is_the_best_plan(random):
    compiled = problem(random, times=3)
    assert bound(compiled, seconds=30, steps=100).points == best(compiled)


def test_the_bound_of_a_town_lies_close_above_the_plan_that_is_hidden_in_it(town, proven):
    compiled, plan = town
    hidden = chosen_of(compiled, plan)
    assert holds(compiled, hidden)
    assert points(compiled, hidden) <= proven.points <= 1.1 * points(compiled, hidden)
    again = bound(compiled)
    assert again.points == proven.points


def test_a_proof_on_disk_proves_the_same_again_and_a_worse_one_proves_more_points(town, proven, tmp_path):
    proven.save(town[0], tmp_path / "proof.npz")
    assert verify_bound(town[0], tmp_path / "proof.npz") == proven.verified == proven.points
    worse = Bound(proven.points, proven.proof, proven.verified, proven.prices // 2)
    worse.save(town[0], tmp_path / "worse.npz")
    assert verify_bound(town[0], tmp_path / "worse.npz") > proven.points


def tampered(prices, what):
    if what == "negative":
        prices = prices.copy()
        prices[np.argmax(prices)] *= -1
    return {"negative": prices, "short": prices[:-1], "real": prices / 3, "huge": prices + 2**40}[what]


@pytest.mark.parametrize("scale", [2**62, 2**55])
def test_a_scale_at_which_sums_would_wrap_round_proves_nothing(town, tmp_path, scale):
    nothing = np.zeros(len(program(town[0]).most), np.int64)
    with (tmp_path / "proof.npz").open("wb") as file:
        np.savez_compressed(file, district=fingerprint(town[0].district), scale=scale, prices=nothing)
    with pytest.raises(BoundWrong, match="64 bits"):
        verify_bound(town[0], tmp_path / "proof.npz")


def test_a_proof_that_is_cut_off_or_damaged_is_refused(town, proven, tmp_path):
    file = tmp_path / "proof.npz"
    proven.save(town[0], file)
    whole = file.read_bytes()
    np.save(tmp_path / "one.npy", proven.prices)
    for wrong in (
        b"",
        whole[:200],
        whole[:-30],
        whole[:120] + bytes(60) + whole[180:],
        (tmp_path / "one.npy").read_bytes(),
    ):
        file.write_bytes(wrong)
        with pytest.raises(BoundWrong, match="no proof of a bound"):
            verify_bound(town[0], file)


def test_where_pins_contradict_each_other_prices_without_end_are_a_bound_all_the_same():
    heavy = {"subject": "数学", "grade": 3, "weight": 100, "times": ((1, 1),)}
    torn = district(Random(1)).model_copy(
        update={
            "requests": tuple(Request(id=f"q{one}", mode="open", school_class=f"k{one}", **heavy) for one in range(3)),
            "pins": tuple(Pin(request=f"q{one}") for one in range(3)),  # for three there are two rooms
            "wishes": (),
        }
    )
    found = bound(compile_district(torn))
    assert found.prices.max() <= DEAREST
    assert found.points < 0


def test_who_says_stop_has_what_the_prices_so_far_prove(town, proven):
    looks = iter([False, True])
    early = bound(town[0], stop=lambda: next(looks, True))
    assert early.points > proven.points
    assert early.points == value_at(program(town[0]), early.prices, SCALE)


@pytest.mark.parametrize(
    ("what", "words"),
    [("negative", "is negative"), ("short", "for .* rows"), ("real", "float64"), ("huge", "larger than any gain")],
)
def test_prices_that_prove_nothing_are_refused(town, proven, tmp_path, what, words):
    Bound(0, "", 0, tampered(proven.prices, what)).save(town[0], tmp_path / "proof.npz")
    with pytest.raises(BoundWrong, match=words):
        verify_bound(town[0], tmp_path / "proof.npz")


def test_a_proof_of_another_district_or_none_at_all_is_refused(town, proven, tmp_path):
    other = problem(Random(1))
    proven.save(town[0], tmp_path / "proof.npz")
    with pytest.raises(BoundWrong, match="another district"):
        verify_bound(other, tmp_path / "proof.npz")
    (tmp_path / "words").write_text("the bound is low", "utf-8")
    for missing in ("words", "nothing"):
        with pytest.raises(BoundWrong, match="no proof of a bound"):
            verify_bound(other, tmp_path / missing)
