import pytest

from agent.observe.spent import Spent


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_time_goes_to_the_part_it_is_spent_on_and_inside_to_the_inner_one():
    clock = Clock()
    spent = Spent(clock)
    clock.now += 5
    with spent.on("people"):
        clock.now += 1
        with spent.on("faces"):
            clock.now += 10
        clock.now += 2
    clock.now += 50
    with spent.on("faces"):
        clock.now += 0.5
    assert spent.seconds() == {"people": 3.0, "faces": 10.5}


def test_a_part_that_fails_has_spent_its_time_all_the_same():
    clock = Clock()
    spent = Spent(clock)
    with pytest.raises(ValueError, match="broken"), spent.on("slides"):
        clock.now += 1
        raise ValueError("broken")
    clock.now += 7
    with spent.on("speech"):
        clock.now += 2
    assert spent.seconds() == {"slides": 1.0, "speech": 2.0}
