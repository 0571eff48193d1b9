"""What is told once a start: restarts and their reasons, versions, lost state."""

import pytest

from agent.report.health import runs
from agent.report.health.losses import Held
from agent.report.health.runs import Ending
from agent.report.health.start import Start

VERSIONS = {"tongtang": "1", "python": "3.11"}


def held(**changed):
    fields = {
        "boot": "b-1",
        "machine": "m-1",
        "device": "d-1",
        "streams": {"telemetry": "t-1", "event": "e-1"},
        "clock": False,
        "orders_unread": 0,
    }
    return Held(**fields | changed)


class Runs:
    """A state folder in which an agent runs again and again."""

    def __init__(self, folder):
        self.folder = folder
        self.wall = 1_000_000.0
        self.told = []

    def start(self, incarnation="i", versions=VERSIONS, **changed):
        self.told = []
        start = Start(self.folder, incarnation, held(**changed), self.wall)
        start.tell(lambda kind, data: self.told.append((kind, data)), lambda: versions)
        return start

    def lost(self):
        return [what for kind, data in self.told if kind == "state.lost" for what in data["what"]]

    def look(self, start):
        return runs.probe(start.restart, lambda: self.wall).look()


@pytest.fixture
def machine(tmp_path):
    return Runs(tmp_path)


def test_restarts_are_counted_with_the_reason_of_the_last(machine):
    first = machine.start()
    assert machine.look(first) == {"restarts": 1, "restarts_day": 1, "restart_why": "first"}
    first.end(Ending.STOPPED, clock=False)
    assert machine.look(machine.start())["restart_why"] == "stopped"
    assert machine.look(machine.start())["restart_why"] == "killed"
    rebooted = machine.start(boot="b-2")
    assert machine.look(rebooted) == {"restarts": 4, "restarts_day": 4, "restart_why": "machine"}
    rebooted.end(Ending.FAULT, clock=False)
    assert machine.look(machine.start(boot="b-2"))["restart_why"] == "fault"


def test_only_the_starts_of_the_last_day_count_as_of_the_day(machine):
    machine.start()
    machine.wall += 90_000
    again = machine.start()
    assert machine.look(again) == {"restarts": 2, "restarts_day": 1, "restart_why": "killed"}
    machine.wall = 10.0  # the clock was put back to 1970: what lies ahead of it is no start of today
    assert machine.look(again)["restarts_day"] == 0


def test_versions_are_told_once_a_boot_and_when_they_change(machine):
    def kinds():
        return [kind for kind, _ in machine.told]

    machine.start()
    assert machine.told == [("agent.versions", VERSIONS)]
    machine.start()
    assert kinds() == []
    machine.start(versions=VERSIONS | {"tongtang": "2"})
    assert kinds() == ["agent.versions"]
    machine.start(versions=VERSIONS | {"tongtang": "2"}, boot="b-2")
    assert kinds() == ["agent.versions"]


def test_a_new_outbox_in_an_old_folder_is_told_once(machine):
    machine.start()
    machine.start(streams={"telemetry": "t-1", "event": "e-2"})
    assert machine.lost() == ["outbox.event"]
    machine.start(streams={"telemetry": "t-1", "event": "e-2"})
    assert machine.lost() == []


def test_a_disk_that_came_to_another_machine_is_told_as_that(machine):
    machine.start()
    machine.start(machine="m-2", streams={"telemetry": "t-9", "event": "e-9"})
    assert machine.lost() == ["machine"]


def test_another_identity_in_the_same_folder_is_told(machine):
    machine.start()
    machine.start(device="d-2", streams={"telemetry": "t-7", "event": "e-7"})
    assert machine.lost() == ["identity"]


def test_a_clock_that_is_gone_is_told_in_the_same_boot_only(machine):
    machine.start().end(Ending.STOPPED, clock=True)
    machine.start(clock=False)
    assert machine.lost() == ["clock"]
    machine.start().end(Ending.STOPPED, clock=True)
    machine.start(clock=False, boot="b-2")
    assert machine.lost() == []


def test_orders_that_cannot_be_read_are_told(machine):
    machine.start(orders_unread=2)
    assert machine.lost() == ["orders"]
    assert "2 orders" in machine.told[0][1]["words"][0]


def test_a_damaged_record_is_told_and_begun_anew(machine):
    machine.start()
    (machine.folder / "runs.json").write_text("{")
    again = machine.start()
    assert machine.lost() == ["runs"]
    assert machine.look(again)["restarts"] == 1


def test_a_first_start_has_lost_nothing(machine):
    machine.start()
    assert machine.lost() == []


def test_what_others_notice_is_told_with_the_rest(machine):
    start = Start(machine.folder, "i", held(), 1.0)
    start.lost("packages", "the folder of lesson packages was made anew")
    told = []
    start.tell(lambda kind, data: told.append((kind, data)), lambda: VERSIONS)
    assert told[0] == ("state.lost", {"what": ["packages"], "words": ["the folder of lesson packages was made anew"]})


def test_a_disk_that_takes_no_record_costs_nothing_else(machine, caplog):
    (machine.folder / "runs.json").mkdir()
    start = machine.start()
    assert "restarts are not counted" in caplog.text
    assert machine.look(start)["restarts"] == 1
