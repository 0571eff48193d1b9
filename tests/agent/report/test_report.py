"""One device against the hub's own intake and courier, over a real broker."""

import time

import pytest

from agent.machine import fingerprint
from agent.report.report import Report
from agent.report.reporter import Ledger
from contract.session import RoomOrder, SessionOrder
from contract.signal import Hello, Order, Peer, RoomReport
from contract.state import SessionState
from tests.agent.report.brokers import KINDS, wait_for
from tests.agent.report.conftest import identity_of, settings_of


def order_of(rev: int = 1, epoch: float | None = None) -> SessionOrder:
    return SessionOrder(
        session="s-0001",
        rev=rev,
        epoch=time.time() + 60 if epoch is None else epoch,
        seconds=20,
        rooms=(
            RoomOrder(room="room-d-1", device="d-1", role="lead"),
            RoomOrder(room="room-d-2", device="d-2", role="receiving"),
        ),
    )


@pytest.mark.parametrize("broker", KINDS, indirect=True)
def test_every_row_is_stored_once_and_then_leaves_the_device(report, hub, tmp_path):
    for number in range(300):
        report.reporter.telemetry("sample", {"number": number})
        report.reporter.event("thing", {"words": f"第 {number} 件"})
    assert report.drain(15)
    stored = hub.ids("d-1")
    assert sorted(stored) == sorted(Ledger.read(tmp_path / "state" / "produced"))
    assert len(stored) == len(set(stored))


@pytest.mark.parametrize("broker", KINDS, indirect=True)
def test_nothing_is_lost_or_stored_twice_when_the_broker_is_killed(report, hub, broker, tmp_path):
    for round_ in range(3):
        for number in range(150):
            report.reporter.telemetry("sample", {"number": number, "round": round_})
            time.sleep(0.001)
        broker.kill()
        for number in range(50):
            report.reporter.event("thing", {"number": number, "round": round_})
        broker.start()
    assert report.drain(20)
    stored = hub.ids("d-1")
    assert sorted(stored) == sorted(Ledger.read(tmp_path / "state" / "produced"))


def test_rows_wait_for_a_hub_that_stops_and_starts_again(report, hub):
    assert wait_for(lambda: report.connected)
    hub.stop()
    assert wait_for(lambda: not report.connected)
    for number in range(500):
        report.reporter.event("thing", {"number": number})
    assert not report.drain(0.5)
    hub.start()
    assert report.drain(15)
    assert wait_for(lambda: report.connected)


def test_a_device_says_hello_with_the_orders_it_holds_at_each_connect(report, hub, broker):
    hub.courier.send(Order(device="d-1", order=order_of()), 600)
    assert wait_for(lambda: report.orders.revs() == {"s-0001": 1})
    broker.kill()
    assert wait_for(lambda: not report.connected)
    hub.signals.clear()
    broker.start()
    assert wait_for(lambda: any(isinstance(one, Hello) and one.orders == {"s-0001": 1} for one in hub.signals))


def test_an_order_is_on_disk_before_the_hub_hears_that_it_arrived(report, hub, tmp_path):
    took = []
    report.on_order = took.append
    assert wait_for(lambda: report.connected)
    hub.courier.send(Order(device="d-1", order=order_of(2)), 600)
    assert wait_for(lambda: hub.answers)
    assert hub.answers[0][1] == ""
    assert (tmp_path / "state" / "orders" / "s-0001.json").exists()
    assert [one.rev for one in took] == [2]


@pytest.mark.parametrize(
    "begins_in_s, near, begins",
    [(-10, True, True), (-125, False, False), (60, True, True), (300, True, False), (900, False, False)],
)
def test_a_lesson_is_near_from_ten_minutes_before_it_until_its_end(report, hub, begins_in_s, near, begins):
    order = order_of(epoch=time.time() + begins_in_s)
    hub.courier.send(Order(device="d-1", order=order), 600)
    assert wait_for(lambda: report.orders.revs() == {"s-0001": 1})
    assert (report.lesson_near(), report.lesson_begins()) == (near, begins)
    hub.courier.send(Order(device="d-1", order=order.model_copy(update={"rev": 2, "cancelled": True})), 600)
    assert wait_for(lambda: report.orders.revs() == {"s-0001": 2})
    assert not report.lesson_near()
    assert not report.lesson_begins()


def test_the_hub_is_told_which_machine_this_is(report, hub, tmp_path):
    assert wait_for(lambda: hub.devices.get("d-1").machine == fingerprint(tmp_path / "state"))


def test_signals_pass_both_ways(report, hub):
    came = []
    report.on_signal = came.append
    assert wait_for(lambda: report.connected)
    state = SessionState.READY
    hub.courier.send(Peer(device="d-1", session="s-0001", room="room-d-2", state=state, incarnation="i-2"), 30)
    report.courier.send(
        RoomReport(device="d-1", session="s-0001", room="room-d-1", rev=1, state=state, incarnation="i-1"), 600
    )
    assert wait_for(lambda: came and any(isinstance(one, RoomReport) for one in hub.signals))
    assert wait_for(lambda: report.courier.waiting() == 0)
    assert came[0].room == "room-d-2"


def test_the_clock_knows_the_hub_after_a_few_exchanges(report):
    assert wait_for(lambda: report.clock.heard and len(report.clock.record().exchanges) >= 5)
    before_ns, mono_ns, after_ns = time.time_ns(), time.monotonic_ns(), time.time_ns()
    error_ns = report.clock.error_ns(mono_ns)
    assert before_ns - error_ns <= report.clock.hub_ns(mono_ns) <= after_ns + error_ns
    assert error_ns < 500_000_000


def test_the_hub_sees_who_is_there_and_who_left(report, hub):
    assert wait_for(lambda: hub.devices.get("d-1").online)
    report.stop(drain_s=1)
    assert wait_for(lambda: not hub.devices.get("d-1").online)
    assert hub.devices.get("d-1").why == "stopped"


def test_a_device_without_a_broker_keeps_everything_and_says_so_once(tmp_path, device_key, hub, caplog):
    identity = identity_of(device_key, hub.key.public_key(), 1)
    report = Report(identity, settings_of(tmp_path / "alone"), incarnation="i-1")
    report.start()
    report.reporter.event("thing")

    def told():
        return [one for one in caplog.records if "is away" in one.getMessage()]

    assert wait_for(lambda: report.waiting() >= 3 and told())
    time.sleep(1.0)
    assert not report.stop()
    assert len(told()) == 1
    again = Report(identity, settings_of(tmp_path / "alone"), incarnation="i-2")
    assert again.waiting() == 3  # the event, what runs there, and the first sample of the machine's health
    again.stop()


def test_health_tells_disk_memory_outboxes_and_clock(tmp_path, device_key, hub, broker):
    report = Report(
        identity_of(device_key, hub.key.public_key(), broker.port),
        settings_of(tmp_path / "healthy", health_s=0.2),
        incarnation="i-1",
    )
    report.start()
    assert wait_for(lambda: hub.store.rows.latest("d-1", "tele"))
    sample = hub.store.rows.latest("d-1", "tele")[-1]["data"]  # the first: it holds everything
    report.stop()
    wanted = {"cpu_percent", "memory_free_mib", "disk_free_mib", "event_rows", "telemetry_age_s", "clock_error_ms"}
    wanted |= {"camera", "microphone", "certificate_days", "restarts", "link_up"}
    assert wanted <= sample.keys()
    assert sample["failed"] == []
