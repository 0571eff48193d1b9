"""Lessons that come near become sessions, and stay as the plan has them; nothing is made twice."""

from collections import Counter

import pytest

from contract.keys import new_device_key, public_pem
from contract.session import Mode, Policy, Role
from contract.state import SessionState
from hub.fleet.alerts import Alerts
from hub.fleet.devices import Devices, NewDevice
from hub.schedule.calendars.occurrences import Occurrence
from hub.schedule.desk.attendance import WHOLE_S, Attendance
from hub.schedule.desk.telling import NOT_MADE, WITHOUT_DEVICE
from hub.schedule.desk.views import NewPublication
from hub.schedule.generate import planted
from hub.schedule.synthetic.extras import Extras
from hub.session.conductor import Conductor, Times
from hub.session.views import NewRoom, NewSession
from hub.store.occurrences import Laid
from tests.hub.schedule.desk.conftest import SHANGHAI, Office

DAY_S = 86_400.0
NOTHING = Policy()


class Post:
    """A sender that throws away."""

    def send(self, signal, valid_s):
        pass


class Killed(BaseException):
    """The hub was killed here."""


class Beat:
    """A published plan, the rooms' devices, a conductor, and who keeps them in step."""

    def __init__(self, office, ahead_days=14.0, registered=None):
        self.office = office
        store = office.store
        self.occurrences = store.occurrences
        self.alerts = Alerts(store.alerts, self.now, lambda _: None)
        self.devices = Devices(store.devices, self.now, lambda _: None, self.alerts)
        self.conductor = Conductor(store.sessions, self.devices, Post(), self.now, Times(), lambda _: None)
        self.carried = []
        self.ahead_s = ahead_days * DAY_S
        for room in office.district.rooms if registered is None else registered:
            self.register(room)
        self.start()

    def now(self):
        return self.office.now

    def start(self, policy=NOTHING):
        """As after a start of the hub: nothing is remembered."""
        self.attendance = Attendance(
            self.occurrences,
            self.conductor,
            self.devices.of_room,
            self.alerts,
            policy,
            self.ahead_s,
            SHANGHAI,
            self.now,
            carry=lambda *sessions: self.carried.append(sessions),
        )

    def register(self, room):
        self.devices.register(NewDevice(room.id, room.id, room.name, room.school, public_pem(new_device_key())))

    def tick(self, later_s=0.0):
        self.office.now += later_s
        self.attendance.tick()
        self.office.now += 1.0
        return self.sessions()

    def sessions(self):
        """Sessions that are to be held, by lesson."""
        found = {one.occurrence.id: one.session for one in self.lessons() if one.session is not None}
        return {lesson: session for lesson, session in found.items() if not self.conductor.order(session).cancelled}

    def all_sessions(self):
        return self.office.store.sessions.due(4e9)

    def lessons(self):
        return self.occurrences.between(0.0, 4e9)

    def first(self):
        return self.lessons()[0].occurrence

    def move(self, lesson, by_s=3600.0):
        """Another plan has the lesson at another time of its week."""
        parts = [
            one.model_copy(update={"epoch": one.epoch + by_s, "ends": one.ends + by_s}) for one in lesson.receiving
        ]
        lead = lesson.lead and lesson.lead.model_copy(update={"epoch": lesson.epoch + by_s, "ends": lesson.ends + by_s})
        moved = lesson.model_copy(
            update={
                "epoch": lesson.epoch + by_s,
                "ends": lesson.ends + by_s,
                "lead": lead,
                "receiving": tuple(parts),
            }
        )
        self.plan(moved)
        return moved

    def plan(self, *lessons):
        """A plan that counts from now on has lessons of a week so, and the others of it as they are."""
        new = {one.id: one for one in lessons}
        week, its_plan = lessons[0].week, self.occurrences.get(lessons[0].id).plan
        others = [one.occurrence for one in self.lessons() if one.occurrence.week == week and not one.cancelled]
        laid = Laid(its_plan, lessons[0].term, [week], [new.get(one.id, one) for one in others])
        self.occurrences.publish([laid], self.now())


@pytest.fixture
def beat(office):
    plan = office.approved(weeks=(1, 4))
    office.desk.publish(plan, NewPublication(), "li")
    return Beat(office)


@pytest.fixture(scope="module")
def mixed():
    """A district with open classes and master classes, and the plan that is hidden in it."""
    return planted(6, 18, 24, 3, Extras(open_class=0.3, master=0.4))


@pytest.fixture
def varied(tmp_path, mixed):
    """The same as `beat`, of such a district."""
    office = Office(tmp_path, *mixed)
    office.desk.publish(office.approved(weeks=(1, 2)), NewPublication(), "li")
    yield Beat(office)
    office.close()


def expected(lesson: Occurrence):
    return [(one.room, Role.RECEIVING if number else Role.LEAD) for number, one in enumerate(lesson.rooms)]


def open_class(beat):
    return next(one.occurrence for one in beat.lessons() if one.occurrence.mode == "open")


def test_what_begins_within_reach_becomes_sessions_and_the_rest_later(beat):
    made = beat.tick()
    near = [one.occurrence for one in beat.lessons() if one.occurrence.epoch <= beat.now() + beat.ahead_s]
    assert set(made) == {one.id for one in near}
    assert len(near) < len(beat.lessons())
    for lesson in near:
        order = beat.conductor.order(made[lesson.id])
        assert (order.epoch, order.ends) == (lesson.epoch, lesson.ends)
        assert [(one.room, one.role) for one in order.rooms] == expected(lesson)
        assert order.timetable == lesson.slot
        assert order.policy == Policy()
    later = beat.tick(7 * DAY_S)
    assert len(later) > len(made)
    assert made.items() <= later.items()


def test_an_open_class_becomes_a_session_of_its_one_room_which_leads(varied):
    made = varied.tick()
    near = [one.occurrence for one in varied.lessons() if one.occurrence.epoch <= varied.now() + varied.ahead_s]
    assert set(made) == {one.id for one in near}
    opened = [one for one in near if one.mode == "open"]
    assert opened
    for lesson in opened:
        order = varied.conductor.order(made[lesson.id])
        assert (order.mode, order.alone, order.lead.room) == (Mode.OPEN, True, lesson.rooms[0].room)
        assert (order.epoch, order.ends, order.timetable) == (lesson.epoch, lesson.ends, lesson.slot)
        assert order.title
    assert varied.tick(1.0) == made
    varied.start()
    assert varied.tick(WHOLE_S) == made


def test_an_open_class_that_is_moved_is_made_anew_with_what_was_attached_and_one_called_off_is_gone(varied):
    before = varied.tick()
    lesson = open_class(varied)
    moved = varied.move(lesson, 1800.0)
    after = varied.tick(1.0)
    assert varied.conductor.order(before[lesson.id]).cancelled
    assert varied.conductor.order(after[lesson.id]).epoch == moved.epoch
    assert varied.carried == [(before[lesson.id], after[lesson.id])]
    varied.occurrences.cancel(lesson.id, varied.now(), "录播室检修")
    assert lesson.id not in varied.tick(1.0)
    assert varied.conductor.order(after[lesson.id]).cancelled


def test_the_room_of_an_open_class_without_a_device_is_told(varied):
    lesson = open_class(varied)
    room = lesson.rooms[0].room
    varied.devices.revoke(room, "li")
    assert lesson.id not in varied.tick()
    assert varied.attendance.why_not(lesson.id) == f"no device stands in {room}"
    assert WITHOUT_DEVICE in {one.kind for one in varied.alerts.open()}


def test_the_rooms_that_receive_a_master_class_of_the_plan_are_those_in_which_teachers_watch(varied):
    made = varied.tick()
    masters = [one.occurrence for one in varied.lessons() if one.occurrence.mode == "master"]
    assert masters
    for lesson in masters:
        order = varied.conductor.order(made[lesson.id])
        watched = [room.room for room in order.rooms if order.watches(room)]
        assert watched == [part.room for part in lesson.receiving]
        assert all(part.observers and part.school_class is None for part in lesson.receiving)


def test_once_more_makes_nothing_more(beat):
    made = beat.tick()
    assert beat.tick(1.0) == made
    beat.start()
    assert beat.tick(WHOLE_S) == made
    assert len(beat.all_sessions()) == len(made)


def test_a_hub_that_is_killed_before_it_notes_the_session_does_not_make_it_twice(beat, monkeypatch):
    def killed(*_):
        raise Killed

    monkeypatch.setattr(beat.occurrences, "link", killed)
    with pytest.raises(Killed):
        beat.tick()
    assert len(beat.all_sessions()) == 1
    assert beat.sessions() == {}
    monkeypatch.undo()
    beat.start()
    made = beat.tick()
    assert len(beat.all_sessions()) == len(made)


def test_a_lesson_at_another_time_is_called_off_and_made_anew(beat):
    before = beat.tick()
    lesson = beat.first()
    moved = beat.move(lesson)
    after = beat.tick(1.0)
    assert after[lesson.id] != before[lesson.id]
    assert beat.carried == [(before[lesson.id], after[lesson.id])]  # what is attached goes with the lesson
    assert beat.conductor.order(before[lesson.id]).cancelled
    assert beat.conductor.order(after[lesson.id]).epoch == moved.epoch
    assert {**before, lesson.id: 0} == {**after, lesson.id: 0}
    beat.start()
    assert beat.tick(1.0) == after


def test_a_hub_that_is_killed_while_it_makes_a_moved_lesson_anew_ends_up_with_one(beat, monkeypatch):
    beat.tick()
    lesson = beat.first()
    beat.move(lesson)

    def killed(*_):
        raise Killed

    for step in ("cancel", "link"):
        owner = beat.conductor if step == "cancel" else beat.occurrences
        real = getattr(owner, step)

        def after(*what, real=real):
            real(*what) if real == beat.conductor.cancel else None
            raise Killed

        monkeypatch.setattr(owner, step, after)
        beat.start()
        with pytest.raises(Killed):
            beat.tick(1.0)
        monkeypatch.undo()
    beat.start()
    made = beat.tick(1.0)
    held = [one for one in beat.all_sessions() if not one.order.cancelled]
    assert {one.order.session for one in held} == set(made.values())
    assert len(held) == len(made)


def test_a_lesson_that_is_called_off_calls_its_session_off(beat):
    before = beat.tick()
    lesson = beat.first().id
    beat.occurrences.cancel(lesson, beat.now(), "校运会")
    assert beat.tick(1.0) == {one: session for one, session in before.items() if one != lesson}
    assert beat.conductor.order(before[lesson]).cancelled


def test_a_session_that_runs_is_left_alone_whatever_becomes_of_its_lesson(beat):
    before = beat.tick()
    lesson = beat.first()
    rival = beat.move(lesson, 7200.0)  # it will have been moved while it runs
    beat.plan(lesson)
    beat.tick()
    beat.office.now = lesson.epoch - 1.0
    beat.plan(rival)
    beat.office.now = lesson.epoch + 1.0
    beat.start()
    after = beat.tick()
    assert after[lesson.id] == before[lesson.id]
    assert beat.conductor.order(before[lesson.id]).epoch == lesson.epoch


def test_what_an_operator_called_off_stays_called_off(beat):
    before = beat.tick()
    lesson = beat.first().id
    beat.conductor.cancel(before[lesson])
    beat.start()
    assert lesson not in beat.tick(WHOLE_S)
    assert len(beat.all_sessions()) == len(before)
    told = beat.occurrences.get(lesson)
    assert (told.cancelled, told.sequence, told.by_hand) == (True, 1, True), "calendars follow"
    assert lesson not in beat.tick(WHOLE_S)
    assert beat.occurrences.get(lesson) == told


def test_two_lessons_that_change_rooms_both_find_theirs(beat):
    one = beat.first()
    taken = {room.room for room in one.rooms}
    other = next(
        each.occurrence
        for each in beat.lessons()
        if each.occurrence.lead is not None and not taken & {room.room for room in each.occurrence.rooms}
    )
    other = beat.move(other, one.epoch - other.epoch)
    before = beat.tick()
    changed = []
    for lesson, room in ((one, other.lead), (other, one.lead)):
        lead = lesson.lead.model_copy(update={"room": room.room, "room_name": room.room_name})
        changed.append(lesson.model_copy(update={"lead": lead}))
    beat.plan(*changed)
    after = beat.tick(1.0)
    assert set(after) == set(before)
    assert beat.conductor.order(after[one.id]).lead.room == other.lead.room


def test_lessons_that_overlap_by_their_lead_schools_bells_are_both_held_and_stay_so_when_the_first_has_begun(beat):
    one = beat.first()
    taken = {room.room for room in one.rooms}
    other = next(
        each.occurrence
        for each in beat.lessons()
        if each.occurrence.lead is not None and not taken & {room.room for room in each.occurrence.rooms}
    )
    shared = one.receiving[0]
    after = {"epoch": one.ends + 300.0, "ends": one.ends + 2400.0}
    part = other.receiving[0].model_copy(update={**after, "room": shared.room})
    begins = one.ends - 120.0  # by the bells of its lead school, while the class before is still in the room
    times = {"epoch": begins, "ends": begins + 2400.0}
    beat.plan(other.model_copy(update={**times, "receiving": (part,)}))
    made = beat.tick()
    first, second = (beat.conductor.order(made[lesson.id]) for lesson in (one, other))
    assert first.ends <= second.epoch
    assert {room.room for room in second.rooms} >= {shared.room}
    beat.start()
    beat.office.now = one.epoch + 60.0
    assert beat.tick()[other.id] == made[other.id]


def test_a_room_without_a_device_is_told_and_its_lesson_held_by_the_others_until_it_has_one(office):
    plan = office.approved(weeks=(1, 1))
    office.desk.publish(plan, NewPublication(), "li")
    counted = Counter(one.lesson for one in office.plan.served)
    wide = next(lesson for lesson, rooms in counted.items() if rooms > 1)
    missing = next(one.room for one in office.plan.served if one.lesson == wide)
    beat = Beat(office, registered=[one for one in office.district.rooms if one.id != missing])
    made = beat.tick()
    lesson = next(one.occurrence for one in beat.lessons() if one.occurrence.lesson == wide)
    rooms = [room for room, _ in expected(lesson)]
    assert [one.room for one in beat.conductor.order(made[lesson.id]).rooms] == [one for one in rooms if one != missing]
    (told,) = [one for one in beat.alerts.open() if one.kind == WITHOUT_DEVICE]
    assert "1 rooms have lessons in the plan and no device" in told.words
    assert missing in beat.attendance.why_not(lesson.id)

    beat.register(next(one for one in office.district.rooms if one.id == missing))
    after = beat.tick(1.0)
    assert [one.room for one in beat.conductor.order(after[lesson.id]).rooms] == rooms
    assert [one for one in beat.alerts.open() if one.kind == WITHOUT_DEVICE] == []
    assert beat.attendance.why_not(lesson.id) == ""


def test_what_the_hub_told_before_it_was_started_again_is_cleared_once_it_is_well(office):
    plan = office.approved(weeks=(1, 1))
    office.desk.publish(plan, NewPublication(), "li")
    beat = Beat(office, registered=[])
    beat.tick()
    assert [one for one in beat.alerts.open() if one.kind == WITHOUT_DEVICE]
    for room in office.district.rooms:
        beat.register(room)
    beat.start()
    beat.tick()
    assert [one for one in beat.alerts.open() if one.kind == WITHOUT_DEVICE] == []


def test_a_district_without_any_device_is_told_once_a_school(office):
    plan = office.approved(weeks=(1, 1))
    office.desk.publish(plan, NewPublication(), "li")
    beat = Beat(office, registered=[])
    assert beat.tick() == {}
    told = [one for one in beat.alerts.open() if one.kind == WITHOUT_DEVICE]
    assert 1 < len(told) <= len(office.district.schools)
    beat.tick(WHOLE_S)
    assert [one.times for one in beat.alerts.open()] == [1] * len(told)


def test_a_room_that_has_another_session_then_is_told(beat):
    lesson = beat.first()
    two = [NewRoom(room=lesson.lead.room, role=Role.LEAD), NewRoom(room=lesson.receiving[0].room, role=Role.RECEIVING)]
    other = beat.conductor.create(NewSession(start=lesson.epoch, seconds=600, rooms=tuple(two)))
    assert lesson.id not in beat.tick()
    (told,) = [one for one in beat.alerts.open() if one.kind == NOT_MADE]
    assert told.words.startswith("1 lessons of the plan cannot be made, the first on 2026-0")
    assert other.session in told.words
    beat.conductor.cancel(other.session)
    assert lesson.id in beat.tick(WHOLE_S)
    assert [one for one in beat.alerts.open() if one.kind == NOT_MADE] == []


def test_another_policy_counts_for_lessons_that_are_not_about_to_begin(beat):
    before = beat.tick()
    first = beat.first()
    beat.office.now = first.epoch - 60.0
    beat.start(Policy(record=True))
    after = beat.tick()
    assert beat.conductor.order(after[first.id]).policy == Policy()
    last = max((one.occurrence for one in beat.lessons() if one.occurrence.id in before), key=lambda one: one.epoch)
    assert beat.conductor.order(after[last.id]).policy == Policy(record=True)


def test_a_room_whose_device_is_replaced_is_ordered_of_the_new_one(beat):
    before = beat.tick()
    first = beat.first()
    beat.devices.revoke(first.lead.room, "li")
    beat.devices.register(NewDevice("spare", first.lead.room, "", "", public_pem(new_device_key())))
    after = beat.tick(1.0)
    assert beat.conductor.order(after[first.id]).lead.device == "spare"
    assert beat.conductor.view(before[first.id]).state is SessionState.CANCELLED
