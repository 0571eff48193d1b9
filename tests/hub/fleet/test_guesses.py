from hub.fleet.guesses import ADDRESSES_KEPT, LOOKED_AT_S, WINDOW_S, WRONG_BY_ADDRESS, WRONG_IN_ALL, Guesses, network


class Time:
    now = 1000.0

    def __call__(self):
        return self.now


def lock_out(guesses, address="10.0.0.1"):
    return [guesses.wrong(address) for _ in range(WRONG_BY_ADDRESS)]


def test_the_first_wrong_codes_cost_nothing_then_the_address_waits_and_is_told_how_long():
    time = Time()
    guesses = Guesses(time)
    *free, last = lock_out(guesses)
    assert set(free) == {0}
    assert last == WINDOW_S
    assert guesses.wait_s("10.0.0.2") == 0


def test_a_school_behind_a_held_off_address_comes_in_although_its_neighbour_goes_on_for_ever():
    time = Time()
    guesses = Guesses(time)
    lock_out(guesses)
    let_in = 0
    for _ in range(1000):
        time.now += 0.01
        if guesses.wait_s("10.0.0.1") == 0:
            let_in += 1
            guesses.wrong("10.0.0.1")
    assert 10 / LOOKED_AT_S * 0.8 <= let_in <= 10 / LOOKED_AT_S


def test_trying_while_held_off_does_not_make_it_longer():
    time = Time()
    guesses = Guesses(time)
    lock_out(guesses)
    for _ in range(int(WINDOW_S)):
        time.now += 1
        if guesses.wait_s("10.0.0.1") == 0:
            guesses.wrong("10.0.0.1")
    assert guesses.wrong("10.0.0.1") == 0


def test_wrong_codes_from_everywhere_hold_everybody_off_and_not_for_ever():
    time = Time()
    guesses = Guesses(time)
    for at in range(WRONG_IN_ALL):
        guesses.wrong(f"10.0.{at // 250}.{at % 250}")
    assert guesses.wait_s("10.9.9.9") == 0  # one is looked at, now and then
    assert 0 < guesses.wait_s("10.9.9.8") <= WINDOW_S
    time.now += WINDOW_S
    assert guesses.wait_s("10.9.9.8") == 0
    assert guesses.wait_s("10.9.9.8") == 0


def test_whoever_has_a_whole_network_of_addresses_counts_as_one():
    time = Time()
    guesses = Guesses(time)
    for at in range(WRONG_BY_ADDRESS):
        guesses.wrong(f"2001:db8::{at}")
    assert guesses.wait_s("2001:db8::ffff") == 0
    assert guesses.wait_s("2001:db8::fffe") > 0
    assert guesses.wait_s("2001:db8:0:1::1") == 0


def test_addresses_are_forgotten_rather_than_kept_without_end():
    guesses = Guesses(Time())
    lock_out(guesses)
    for at in range(ADDRESSES_KEPT):
        guesses._all.wrong.clear()
        guesses.wrong(f"host-{at}")
    assert len(guesses._by_address) == ADDRESSES_KEPT
    assert guesses.wait_s("10.0.0.1") == guesses.wait_s("10.0.0.1") == 0


def test_an_address_that_is_none_stands_for_itself():
    assert network("") == ""
    assert network("fe80::1%eth0") == "fe80::/64"
    assert network("::ffff:10.0.0.1") == "10.0.0.1"
