from agent.report.health.probe import Probe, changed
from agent.report.health.sampler import WHOLE_EVERY_S, Sampler


def probe(**how):
    return Probe("one", dict, **how)


def test_the_first_sample_holds_everything_and_the_next_what_moved():
    sampler = Sampler([probe(always=frozenset({"load"}))])
    assert sampler.sample([{"load": 1.0, "camera": "present"}], 0) == {"load": 1.0, "camera": "present", "all": True}
    assert sampler.sample([{"load": 1.0, "camera": "present"}], 5) == {"load": 1.0}
    assert sampler.sample([{"load": 2.0, "camera": "missing"}], 10) == {"load": 2.0, "camera": "missing"}
    assert sampler.sample([{"load": 2.0, "camera": "missing"}], 15) == {"load": 2.0}


def test_everything_is_told_again_after_ten_minutes_and_when_the_hub_is_back():
    sampler = Sampler([])
    assert sampler.sample([{"camera": "present"}], 0)["all"] is True
    assert sampler.sample([{"camera": "present"}], WHOLE_EVERY_S - 1) == {}
    assert sampler.sample([{"camera": "present"}], WHOLE_EVERY_S) == {"camera": "present", "all": True}
    sampler.tell_all()
    assert sampler.sample([{"camera": "present"}], WHOLE_EVERY_S + 1) == {"camera": "present", "all": True}


def test_a_number_that_creeps_is_told_once_it_has_moved_a_step_away_from_what_was_told():
    sampler = Sampler([probe(steps={"hot": 3.0})])
    told = [sampler.sample([{"hot": 50.0 + number}], number) for number in range(7)]
    assert [one.get("hot") for one in told] == [50.0, None, None, 53.0, None, None, 56.0]


def test_what_is_no_number_has_changed_when_it_is_another():
    assert changed("present", "missing", 10)
    assert changed(None, 3, 10)
    assert changed(3, None, 10)
    assert changed(True, False, 10)
    assert not changed(True, True, 10)
    assert not changed(1, 1.4, 0.5)


def test_a_field_that_comes_later_is_told_when_it_comes():
    sampler = Sampler([])
    sampler.sample([{}], 0)
    assert sampler.sample([{"camera": "present"}], 1) == {"camera": "present"}
