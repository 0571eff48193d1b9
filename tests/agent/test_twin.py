"""What is in force is one whole configuration, the last good one comes back, and a cut at any moment loses neither."""

import pytest

from agent.settings import AgentSettings
from agent.twin import MOVES, MoveRefused, Phase, Standing, Twin, merged, moved
from contract.twin import Desired, TwinStatus, TwinUnfit, settable, understood

WELL = Standing(hub=True, camera=True, microphone=True)
TEN = {"report": {"health_s": 10.0}}
TWENTY = {"report": {"health_s": 20.0}}


def desired(rev: int, config: dict) -> Desired:
    return Desired(device="d-1", rev=rev, config=config)


class Machine:
    """One machine's disk; every look at it is through a new `Twin`, as after a power cut."""

    def __init__(self, folder) -> None:
        self.path = folder / "state" / "twin.json"
        self.base = AgentSettings.model_validate({"agent": {"state": folder / "state"}, "report": {"health_s": 5}})

    @property
    def twin(self) -> Twin:
        return Twin(self.path, self.base)

    def health_s(self) -> float:
        return self.twin.begin().report.health_s

    def told(self) -> tuple[int, TwinStatus, dict]:
        reported = self.twin.reported("d-1")
        return reported.rev, reported.status, reported.config

    def words(self) -> str:
        return self.twin.reported("d-1").words


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


def test_without_a_wish_the_own_settings_are_in_force(machine):
    assert machine.health_s() == 5
    assert machine.told() == (0, TwinStatus.APPLIED, {})


def test_a_wish_waits_is_tried_out_and_is_good(machine):
    assert machine.twin.take(desired(1, TEN))
    assert machine.told()[:2] == (1, TwinStatus.WAITING)
    assert machine.health_s() == 5
    machine.twin.try_out(WELL)
    assert machine.health_s() == 10
    assert machine.told() == (1, TwinStatus.WAITING, TEN)
    machine.twin.well()
    assert machine.health_s() == 10
    assert machine.told() == (1, TwinStatus.APPLIED, TEN)
    assert machine.twin.phase is Phase.SETTLED


def test_the_last_good_one_comes_back(machine):
    settled(machine, 1, TEN)
    machine.twin.take(desired(2, TWENTY))
    machine.twin.try_out(WELL)
    assert machine.health_s() == 20
    machine.twin.restore("the camera did not come back within 180 s")
    assert machine.health_s() == 10
    assert machine.told() == (2, TwinStatus.RESTORED, TEN)
    assert "the camera did not come back" in machine.words()
    assert "revision 1 is in force again" in machine.words()


def test_three_starts_without_getting_well_bring_the_last_good_one_back(machine):
    machine.twin.take(desired(1, TEN))
    machine.twin.try_out(WELL)
    assert [machine.health_s() for _ in range(4)] == [10, 10, 10, 5]
    assert machine.told() == (1, TwinStatus.RESTORED, {})
    assert "started 3 times without getting well" in machine.words()
    assert machine.health_s() == 5


def test_what_is_not_newer_changes_nothing(machine):
    settled(machine, 3, TEN)
    assert not machine.twin.take(desired(3, TWENTY))
    assert not machine.twin.take(desired(2, TWENTY))
    assert machine.told() == (3, TwinStatus.APPLIED, TEN)


def test_a_wish_that_changes_nothing_is_in_force_at_once(machine):
    machine.twin.take(desired(1, {"report": {"health_s": 5}}))
    assert machine.told()[:2] == (1, TwinStatus.APPLIED)
    machine.twin.take(desired(2, TEN))
    machine.twin.take(desired(3, {}))
    assert machine.told() == (3, TwinStatus.APPLIED, {})
    assert machine.twin.phase is Phase.SETTLED


@pytest.mark.parametrize(
    "bad", [{"report": {"helth_s": 5}}, {"hub": {"url": "http://evil"}}, {"video": {"fps_max": 0}}]
)
def test_what_cannot_be_used_is_refused_in_words_and_the_one_before_stays(machine, bad):
    settled(machine, 1, TEN)
    machine.twin.take(desired(2, bad))
    assert machine.told() == (2, TwinStatus.REFUSED, TEN)
    assert next(iter(next(iter(bad.values())))) in machine.words()
    assert machine.health_s() == 10


def test_a_refused_wish_withdraws_the_one_that_waits(machine):
    machine.twin.take(desired(1, TEN))
    machine.twin.take(desired(2, {"report": {"health_s": -1}}))
    assert machine.twin.phase is Phase.SETTLED
    assert machine.health_s() == 5


def test_a_newer_wish_during_a_trial_waits_and_the_last_good_one_is_still_that(machine):
    settled(machine, 1, TEN)
    machine.twin.take(desired(2, TWENTY))
    machine.twin.try_out(WELL)
    machine.twin.take(desired(3, {"report": {"health_s": 30.0}}))
    assert machine.told()[:2] == (3, TwinStatus.WAITING)
    machine.twin.try_out(WELL)
    assert machine.health_s() == 30
    machine.twin.restore("it was not well")
    assert machine.health_s() == 10


def test_a_newer_wish_that_is_refused_during_a_trial_leaves_the_trial_alone(machine):
    machine.twin.take(desired(1, TEN))
    machine.twin.try_out(WELL)
    machine.twin.take(desired(2, {"report": {"health_s": -1}}))
    assert machine.twin.phase is Phase.TRIAL
    machine.twin.well()
    assert machine.told() == (2, TwinStatus.REFUSED, TEN)


def test_a_damaged_file_is_left_out_and_the_hub_says_anew_what_it_wants(machine):
    settled(machine, 4, TEN)
    machine.path.write_text('{"phase": "tri')
    assert machine.health_s() == 5
    assert machine.told()[0] == 0
    assert machine.twin.take(desired(4, TEN))


def test_own_settings_that_no_longer_fit_do_not_keep_the_service_from_starting(machine):
    machine.twin.take(desired(1, TEN))
    machine.twin.try_out(WELL)
    text = machine.path.read_text().replace('"health_s": 10.0', '"health_s": -10.0')
    machine.path.write_text(text)
    assert machine.health_s() == 5


def test_every_setting_of_the_twin_is_one_of_the_agents_within_its_bounds(machine):
    edges = {
        "hub.keepalive_s": (3, 300),
        "sources.loudspeaker": ("none", "x" * 100),
        "video.width_max": (160, 3840),
        "video.height_max": (90, 2160),
        "video.fps_max": (5, 60),
        "video.bitrate_max": (100_000, 50_000_000),
        "observe.enabled": (True, False),
        "observe.people_hz": (0.01, 5),
        "observe.slides_hz": (0.01, 10),
        "record.keep_uploaded": (True, False),
        "record.upload_bps": (0, 10**10),
        "report.health_s": (1, 3600),
    }
    assert set(edges) == set(settable())
    for name, values in edges.items():
        table, key = name.split(".")
        for value in values:
            settings = merged(machine.base, {table: {key: value}})
            assert getattr(getattr(settings, table), key) == value
        if not isinstance(values[0], bool | str):
            with pytest.raises(TwinUnfit):
                understood({table: {key: values[0] - 1}})
            with pytest.raises(TwinUnfit):
                understood({table: {key: values[1] + 1}})


def test_no_move_is_made_that_the_table_does_not_allow():
    for phase in Phase:
        for to in Phase:
            if to is phase or to in MOVES[phase]:
                assert moved(phase, to) is to
            else:
                with pytest.raises(MoveRefused):
                    moved(phase, to)


def settled(machine: Machine, rev: int, config: dict) -> None:
    machine.twin.take(desired(rev, config))
    machine.twin.try_out(WELL)
    machine.twin.well()
