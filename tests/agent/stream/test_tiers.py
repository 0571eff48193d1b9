from hypothesis import given
from hypothesis import strategies as st

from agent.stream.tiers import LEAVE, MIN_BPS, RETURN, SHARE, CameraTiers

FULL, LOWER = "recorded", "lower"
FULL_BPS = 2_000_000


class Wanted:
    """Stands for the lower tier's encoder: keeps what was asked of it."""

    def __init__(self) -> None:
        self.bps = 0

    def __call__(self, bps: int) -> bool:
        self.bps = bps
        return bps > 0


def tiers(lower=LOWER):
    wanted = Wanted()
    return CameraTiers(FULL, FULL_BPS, lower, wanted), wanted


def test_one_slow_room_gets_the_lower_tier_and_the_others_keep_the_recorded_one():
    choice, wanted = tiers()
    assert choice.choose("fast", 5_000_000) == FULL
    assert choice.choose("slow", 300_000) == LOWER
    assert choice.choose("fast", 5_000_000) == FULL
    assert wanted.bps == round(300_000 * SHARE)


def test_the_lower_tier_is_made_for_the_weakest_and_ends_when_nobody_needs_it():
    choice, wanted = tiers()
    choice.choose("a", 900_000)
    choice.choose("b", 400_000)
    assert wanted.bps == round(400_000 * SHARE)
    choice.leave("b")
    assert wanted.bps == round(900_000 * SHARE)
    assert choice.choose("a", round(FULL_BPS * RETURN)) == FULL
    assert wanted.bps == 0


def test_a_room_comes_back_only_with_room_to_spare():
    choice, _ = tiers()
    edge = round(FULL_BPS * LEAVE)
    assert choice.choose("a", edge) == FULL
    assert choice.choose("a", edge - 1) == LOWER
    assert choice.choose("a", edge + 1) == LOWER
    assert choice.choose("a", round(FULL_BPS * RETURN)) == FULL


def test_a_room_that_can_take_nothing_does_not_starve_the_other_slow_ones():
    choice, wanted = tiers()
    assert choice.choose("dead", MIN_BPS - 1) is None
    assert choice.choose("slow", 500_000) == LOWER
    assert choice.choose("dead", MIN_BPS - 1) is None
    assert wanted.bps == round(500_000 * SHARE)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 4_000_000)), max_size=40))
def test_whatever_the_links_do_nobody_gets_more_than_its_link_takes(steps):
    choice, wanted = tiers()
    links: dict[str, int] = {}
    for peer, bps in steps:
        links[peer] = bps
        got = choice.choose(peer, bps)
        if got == LOWER:
            assert wanted.bps <= min(one for one in links.values() if one >= MIN_BPS)
        if got == FULL:
            assert bps >= FULL_BPS * LEAVE
