"""A month's lessons are gathered from what is stored: counted by hand, at both of its ends, in two time zones."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from contract.state import SessionState
from hub.insight.month.fates import Fate
from hub.insight.month.months import MonthRefused, Months
from hub.insight.month.report import Scope
from hub.store.occurrences import Laid
from hub.store.store import Store
from tests.hub.insight.month.planned import SCHOOLS, occurrence, session
from tests.hub.tables import with_tables

ZONES = ("Asia/Shanghai", "America/New_York")
MINUTE_S = 60.0


class School:
    def __init__(self, name):
        self.id, self.name, self.community = name, SCHOOLS[name], "东片" if name != "three" else ""


class Nothing:
    def of(self, sessions):
        return {}


class Kept:
    """What is stored of one district, in its time zone."""

    def __init__(self, folder, zone):
        self.zone = ZoneInfo(zone)
        self.store = Store.open(with_tables(folder / "hub.db"))
        self.sessions = {}
        self.now = dt.datetime(2026, 12, 2, tzinfo=self.zone).timestamp()
        self.months = Months(
            self.store.occurrences,
            self.sessions.get,
            Nothing(),
            lambda: [School(one) for one in SCHOOLS],
            self.zone,
            lambda: self.now,
        )

    def at(self, month, day, hour, minute=0):
        return dt.datetime(2026, month, day, hour, minute, tzinfo=self.zone)

    def planned(self, lessons, plan="p", now=0.0):
        return self.store.occurrences.publish([Laid(plan, "t", [12], lessons, "replaced")], now)

    def became(self, one, **more):
        """A lesson became a session, which went like this."""
        view = session(one, **{key: more.pop(key) for key in ("missing", "state") if key in more})
        view = view.model_copy(update={"session": f"s-{one.lesson}", **more})
        self.sessions[view.session] = view
        self.store.occurrences.link(one.id, view.session)


@pytest.fixture(params=ZONES)
def kept(tmp_path, request):
    made = Kept(tmp_path, request.param)
    yield made
    made.store.close()


def test_a_small_month_is_as_it_was_counted_by_hand(kept):
    """Of November are 8 lessons: 3 held, 1 without a room, 2 missed, 1 called off, 1 that runs on and is to come."""
    by_hand = {
        "early": kept.at(11, 1, 0, 5),  # held: its first minutes
        "usual": kept.at(11, 3, 9),  # held
        "moved": kept.at(11, 4, 9),  # held, on another day than it was planned first
        "partly": kept.at(11, 5, 9),
        "alone": kept.at(11, 6, 9),  # missed: the lead room was not there
        "never": kept.at(11, 9, 9),  # missed: it became no session
        "off": kept.at(11, 10, 9),  # called off by hand
        "late": kept.at(11, 30, 23, 50),  # runs into December, and was extended
    }
    lessons = {name: occurrence(at, lesson=name) for name, at in by_hand.items()}
    lessons["partly"] = occurrence(by_hand["partly"], lesson="partly", receiving=("two", "three"))
    lessons["alone"] = occurrence(by_hand["alone"], lesson="alone", receiving=("three",))
    outside = [occurrence(kept.at(10, 31, 23, 50), lesson="before"), occurrence(kept.at(12, 1, 0), lesson="after")]
    first = occurrence(kept.at(11, 2, 9), lesson="moved").model_copy(update={"id": lessons["moved"].id})
    kept.planned([*(one for name, one in lessons.items() if name != "moved"), *outside, first])
    kept.planned([*lessons.values(), *outside], plan="p-2")
    assert kept.store.occurrences.get(lessons["moved"].id).occurrence == lessons["moved"]
    kept.store.occurrences.cancel(lessons["off"].id, 0.0, "教师请假")
    for name in ("early", "usual", "moved"):
        kept.became(lessons[name])
    kept.became(outside[0])
    kept.became(lessons["partly"], missing=("three",))
    kept.became(lessons["alone"], missing=("one",))
    kept.became(lessons["late"], seconds=50 * MINUTE_S)
    kept.now = lessons["late"].ends + 5 * MINUTE_S  # by the bell it is over

    report = kept.months.report("2026-11")
    counts = report.counts
    assert (counts.planned, counts.held, counts.partly, counts.missed) == (7, 3, 1, 2)
    assert (counts.called_off, counts.to_come, counts.booked) == (1, 1, 0)
    assert [(one.date.day, one.fate) for one in report.lost] == [
        (5, Fate.PARTLY),
        (6, Fate.MISSED),
        (9, Fate.MISSED),
        (10, Fate.CALLED_OFF),
    ]
    assert report.lost[-1].words == "教师请假"
    assert (report.before.planned, report.before.held) == (1, 1)
    kept.now = lessons["late"].epoch + 51 * MINUTE_S
    assert kept.months.report("2026-11").counts.held == 4
    three = kept.months.report("2026-11", Scope.SCHOOL, "three").counts
    assert (three.planned, three.held, three.missed) == (2, 0, 2)
    assert kept.months.months() == ["2026-12", "2026-11", "2026-10"]


def test_a_lesson_in_the_place_of_another_is_planned_and_the_other_called_off_with_the_reason(kept):
    was, now = occurrence(kept.at(11, 11, 9), lesson="was"), occurrence(kept.at(11, 11, 10), lesson="now")
    kept.planned([was])
    kept.planned([now], plan="p-2")
    kept.became(now)
    report = kept.months.report("2026-11")
    assert (report.counts.planned, report.counts.held, report.counts.called_off) == (1, 1, 1)
    assert [one.words for one in report.lost] == ["replaced"]


def test_what_an_operator_called_off_was_not_missed(kept):
    one = occurrence(kept.at(11, 11, 9))
    kept.planned([one])
    kept.became(one, missing=("one", "two"), state=SessionState.CANCELLED)
    counts = kept.months.report("2026-11").counts
    assert (counts.planned, counts.missed, counts.called_off) == (0, 0, 1)


def test_of_a_community_only_its_own_schools_are_told(kept):
    kept.planned([occurrence(kept.at(11, 11, 9), receiving=("two", "three"))])
    report = kept.months.report("2026-11", Scope.COMMUNITY, "东片")
    assert [one.school for one in report.schools] == ["one", "two"]
    assert [one.school for one in report.classes] == ["two"]


@pytest.mark.parametrize(
    ("month", "scope", "who"),
    [
        ("2026-13", Scope.DISTRICT, ""),
        ("11/2026", Scope.DISTRICT, ""),
        ("2026-11", Scope.SCHOOL, "none"),
        ("2026-11", Scope.COMMUNITY, ""),
    ],
)
def test_what_is_no_month_school_or_community_is_refused(kept, month, scope, who):
    with pytest.raises(MonthRefused):
        kept.months.report(month, scope, who)
