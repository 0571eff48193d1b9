import pytest

from hub.fleet.alerts import REPEAT_S, Alerts


@pytest.fixture
def alerts(store, time, changed):
    return Alerts(store.alerts, time, changed.append)


def shown(alerts):
    return [(one.device, one.kind, one.words, one.times) for one in alerts.open()]


def test_an_alert_is_one_line_however_often_it_is_raised(alerts, time, changed):
    for _ in range(3):
        alerts.raise_("room-1", "cloned-disk", "two machines")
        time.now += REPEAT_S
    assert shown(alerts) == [("room-1", "cloned-disk", "two machines", 3)]
    (one,) = alerts.open()
    assert one.last - one.raised == 2 * REPEAT_S
    assert changed == ["room-1"]


def test_one_that_flaps_does_not_fill_the_database(alerts):
    for _ in range(1000):
        alerts.raise_("room-1", "cloned-disk", "two machines")
    assert shown(alerts) == [("room-1", "cloned-disk", "two machines", 1)]


def test_new_words_are_told_at_once(alerts, changed):
    alerts.raise_("room-1", "disk", "9 % free")
    alerts.raise_("room-1", "disk", "8 % free")
    assert shown(alerts) == [("room-1", "disk", "8 % free", 2)]
    assert changed == ["room-1", "room-1"]


def test_what_is_well_again_is_closed_and_opens_anew_when_it_comes_back(alerts, time, changed):
    alerts.raise_("room-1", "disk", "full")
    alerts.raise_("room-1", "clock", "ahead")
    alerts.raise_("room-2", "disk", "full")
    alerts.clear("room-1", "disk")
    alerts.clear("room-1", "disk")
    alerts.clear("room-9", "disk")
    assert {one[:2] for one in shown(alerts)} == {("room-1", "clock"), ("room-2", "disk")}
    assert changed == ["room-1", "room-1", "room-2", "room-1"]
    alerts.raise_("room-1", "disk", "full")
    assert ("room-1", "disk", "full", 1) in shown(alerts)


def test_an_operator_clears_one_by_its_number(alerts):
    alerts.raise_("room-1", "disk", "full")
    alerts.raise_("", "authority", "expires soon")
    number = next(one.id for one in alerts.open() if one.device == "room-1")
    assert alerts.dismiss(number, "li-jing").device == "room-1"
    assert alerts.dismiss(number, "li-jing").cleared is not None
    assert alerts.dismiss(number + 100, "li-jing") is None
    assert [one.kind for one in alerts.open()] == ["authority"]


def test_what_another_process_raised_is_seen_and_counted(alerts, store, time, changed):
    Alerts(store.alerts, time, changed.append).raise_("room-1", "disk", "full")
    time.now += REPEAT_S
    alerts.raise_("room-1", "disk", "full")
    assert shown(alerts) == [("room-1", "disk", "full", 2)]
