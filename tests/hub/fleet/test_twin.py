"""What is wanted of a device is checked, kept and said until it is in force; whoever looks reads why it is not."""

import json
import time

import pytest
from sqlalchemy.exc import OperationalError

from contract import topics
from contract.keys import new_device_key
from contract.twin import TWIN_LIMIT_BYTES, TwinStatus
from hub.fleet import twin as module
from hub.fleet.errors import DeviceUnknown, TwinChanged, TwinRefused
from hub.fleet.twin import NOT_IN_FORCE, told_as_alerts
from tests.agent.report.brokers import KINDS, wait_for

TEN = {"report": {"health_s": 10}}
TWENTY = {"report": {"health_s": 20}}


@pytest.mark.parametrize("broker", KINDS, indirect=True)
def test_a_wish_reaches_its_device_and_is_in_force_once_the_device_says_so(hub, devices):
    (one,) = devices("d-1")
    wanted = hub.twins.want("d-1", TEN)
    assert (wanted.twin.rev, wanted.lags) == (1, True)
    assert wait_for(lambda: one.wishes and one.wishes[0].config == {"report": {"health_s": 10.0}})
    one.report(1, TwinStatus.WAITING, "it waits, because a lesson is on")
    assert wait_for(lambda: "a lesson is on" in hub.twins.get("d-1").says)
    assert hub.twins.get("d-1").lags
    one.report(1, config=TEN)
    assert wait_for(lambda: not hub.twins.get("d-1").lags)
    assert hub.twins.get("d-1").says == "in force"
    assert json.loads(hub.twins.get("d-1").twin.reported) == TEN


@pytest.mark.parametrize("broker", KINDS, indirect=True)
def test_a_device_that_was_away_finds_the_newest_wish_when_it_is_back(hub, devices):
    (one,) = devices("d-1", connected=False)
    hub.twins.want("d-1", TEN)
    hub.twins.want("d-1", TWENTY)
    assert "the device is away" in hub.twins.get("d-1").says
    time.sleep(0.2)
    one.connect()
    assert wait_for(lambda: one.wishes and one.wishes[-1].rev == 2)
    assert [wish.config for wish in one.wishes][-1] == {"report": {"health_s": 20.0}}


def test_a_broker_that_forgot_everything_does_no_harm(hub, devices, broker):
    (one,) = devices("d-1", connected=False)
    hub.twins.want("d-1", TEN)
    time.sleep(0.2)
    broker.kill()
    broker.start()
    assert wait_for(lambda: hub.link.wait_ready(0))
    one.connect()
    one.report(0)
    assert wait_for(lambda: one.wishes and one.wishes[-1].rev == 1)


def test_a_hub_that_starts_again_says_anew_what_it_wants(hub, devices, broker):
    (one,) = devices("d-1", connected=False)
    hub.twins.want("d-1", TEN)
    hub.stop()
    broker.kill()
    broker.start()
    hub.start()
    time.sleep(0.2)
    one.connect()
    assert wait_for(lambda: one.wishes and one.wishes[-1].rev == 1)


def test_one_that_lags_while_it_is_there_is_told_again(hub, devices, monkeypatch):
    monkeypatch.setattr(module, "RECONCILE_S", 0.1)
    (one,) = devices("d-1")
    assert wait_for(lambda: hub.devices.online("d-1"))
    hub.twins.want("d-1", TEN)
    assert wait_for(lambda: len(one.wishes) >= 3)
    assert {wish.rev for wish in one.wishes} == {1}
    assert [one.twin.device for one in hub.twins.standings(lagging=True)] == ["d-1"]
    one.report(1, config=TEN)
    assert wait_for(lambda: hub.twins.standings(lagging=True) == [])


def test_the_same_wish_again_changes_nothing_unless_it_fell_through(hub, devices):
    (one,) = devices("d-1")
    assert hub.twins.want("d-1", TEN).twin.rev == 1
    assert hub.twins.want("d-1", {"report": {"health_s": 10.0}}).twin.rev == 1
    one.report(1, TwinStatus.RESTORED, "the camera did not come back")
    assert wait_for(lambda: "the camera did not come back" in hub.twins.get("d-1").says)
    assert hub.twins.get("d-1").lags
    assert hub.twins.want("d-1", TEN).twin.rev == 2


def test_of_two_operators_the_second_looks_again(hub, devices):
    devices("d-1")
    hub.twins.want("d-1", TEN, based_on=0)
    with pytest.raises(TwinChanged, match="has revision 1 by now, not 0"):
        hub.twins.want("d-1", TWENTY, based_on=0)
    assert hub.twins.get("d-1").twin.rev == 1


@pytest.mark.parametrize(
    ("config", "words"),
    [({"report": {"helth_s": 1}}, "did you mean report.health_s"), ({"video": {"fps_max": 99}}, "video.fps_max")],
)
def test_what_cannot_be_set_is_refused_before_it_is_kept(hub, devices, config, words):
    (one,) = devices("d-1")
    with pytest.raises(TwinRefused, match=words):
        hub.twins.want("d-1", config)
    assert hub.twins.get("d-1").twin.rev == 0
    assert hub.store.twins.all() == []
    assert one.wishes == []
    with pytest.raises(DeviceUnknown):
        hub.twins.want("d-9", TEN)
    with pytest.raises(DeviceUnknown):
        hub.twins.get("d-9")


def test_a_hub_restored_from_a_backup_gets_ahead_of_its_devices_again(hub, devices):
    (one,) = devices("d-1")
    hub.twins.want("d-1", TEN)
    one.report(7, config=TWENTY)
    assert wait_for(lambda: one.wishes and one.wishes[-1].rev == 8)
    assert one.wishes[-1].config == {"report": {"health_s": 10.0}}


def test_what_a_hub_never_set_is_told_and_the_next_wish_is_newer(hub, devices):
    (one,) = devices("d-1")
    one.report(5, config=TWENTY)
    assert wait_for(lambda: "which this hub never set" in hub.twins.get("d-1").says)
    assert one.wishes == []
    assert hub.twins.want("d-1", TEN).twin.rev == 6


def test_nothing_but_the_devices_own_signed_report_counts(hub, devices):
    one, two = devices("d-1", "d-2")
    hub.twins.want("d-1", TEN)
    one.report(1, key=two.key)
    one.report(1, key=new_device_key())
    for data in (b"{}", b"\xff", b"x" * (TWIN_LIMIT_BYTES + 1)):
        one.publish(topics.twin_reported("d-1"), data)
    expected = {"bad-signature": 2, "malformed": 2, "oversized": 1}
    assert wait_for(lambda: hub.misfits.counts().get("d-1") == expected), hub.misfits.counts()
    assert hub.twins.get("d-1").twin.status == ""


def test_reports_survive_a_restart_of_the_hub_and_what_repeats_them_is_not_told_on(hub, devices):
    (one,) = devices("d-1")
    hub.twins.want("d-1", TEN)
    for _ in range(5):
        one.report(1, config=TEN)
    assert wait_for(lambda: not hub.twins.get("d-1").lags)
    hub.stop()
    hub.start()
    assert hub.twins.get("d-1").says == "in force"
    assert len(hub.reports) == 1


def test_a_report_is_told_on_also_where_the_database_goes_away_meanwhile(hub, devices):
    troubles, told = [OperationalError("UPDATE alert", {}, Exception("the server is gone"))], []

    def tell(twin):
        if troubles:
            raise troubles.pop()
        told.append(twin.status)

    hub.twins._on_report = tell
    (one,) = devices("d-1")
    hub.twins.want("d-1", TEN)
    one.report(1, TwinStatus.RESTORED, "the hub did not come back")
    assert wait_for(lambda: hub.twins.get("d-1").twin.status == TwinStatus.RESTORED)
    assert told == [TwinStatus.RESTORED]


def test_what_a_device_took_back_is_an_alert_until_something_is_in_force(hub, devices):
    raised, cleared = [], []
    tell = told_as_alerts(lambda *said: raised.append(said), lambda *said: cleared.append(said))
    (one,) = devices("d-1")
    hub.twins.want("d-1", TEN)
    one.report(1, TwinStatus.RESTORED, "the hub did not come back")
    assert wait_for(lambda: hub.reports)
    tell(hub.reports[-1])
    assert raised[0][:2] == ("d-1", NOT_IN_FORCE)
    assert "the hub did not come back" in raised[0][2]
    one.report(2, config=TEN)
    assert wait_for(lambda: hub.reports[-1].status == TwinStatus.APPLIED)
    tell(hub.reports[-1])
    assert cleared == [("d-1", NOT_IN_FORCE)]
