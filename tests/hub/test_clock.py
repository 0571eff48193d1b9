from hub.clock import HubClock


def test_a_step_of_the_wall_clock_does_not_move_hub_time():
    wall, mono = [1_000_000_000_000], [50]
    clock = HubClock(lambda: wall[0], lambda: mono[0])
    assert clock.now_ns() == 1_000_000_000_000
    wall[0] -= 3_600_000_000_000
    mono[0] += 2_000_000_000
    assert clock.now() == 1002.0
