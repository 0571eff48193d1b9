"""What became of a planned lesson is told from its rooms, for all of it and for one school."""

from contract.state import SessionState
from hub.insight.month.fates import NO_SESSION, Fate, Planned, fate_of
from hub.session.remarks import Reason
from tests.hub.insight.month.planned import NOW, day, held, occurrence, opened, session


def test_a_lesson_of_which_every_room_was_there_was_held():
    assert fate_of(held(3), NOW).fate is Fate.HELD


def test_a_missing_class_leaves_the_lesson_partly_held_and_its_own_school_without_it():
    one = held(3, receiving=("two", "three"), missing=("three",))
    told = fate_of(one, NOW)
    assert told.fate is Fate.PARTLY
    assert [remark.reason for remark in told.remarks] == [Reason.ROOM_UNHEARD]
    assert fate_of(one, NOW, "two").fate is Fate.HELD
    assert fate_of(one, NOW, "three").fate is Fate.MISSED
    assert fate_of(one, NOW, "one").fate is Fate.PARTLY


def test_without_the_lead_room_nobody_had_the_lesson():
    one = held(3, receiving=("two", "three"), missing=("one",))
    assert {fate_of(one, NOW, school).fate for school in ("", "one", "two", "three")} == {Fate.MISSED}


def test_a_lead_room_alone_held_no_lesson():
    one = held(3, missing=("two",))
    assert fate_of(one, NOW).fate is Fate.MISSED
    assert fate_of(one, NOW, "one").fate is Fate.MISSED


def test_what_was_called_off_was_not_missed_and_tells_why():
    one = occurrence(day(3))
    assert fate_of(Planned(one, True, "教师请假", None), NOW).words == "教师请假"
    view = session(one, state=SessionState.CANCELLED)
    assert fate_of(Planned(one, False, "", view), NOW).fate is Fate.CALLED_OFF


def test_a_lesson_is_to_come_until_it_is_over():
    one = Planned(occurrence(day(3)), False, "", None)
    assert fate_of(one, one.occurrence.ends - 1).fate is Fate.TO_COME
    told = fate_of(one, one.occurrence.ends + 1)
    assert (told.fate, told.words) == (Fate.MISSED, NO_SESSION)


def test_a_booked_room_is_counted_apart():
    one = opened(day(3))
    assert fate_of(Planned(one, False, "", None), NOW).fate is Fate.BOOKED


def test_an_open_class_was_held_where_its_one_room_was_there():
    one = opened(day(3))
    for school in ("", "two"):
        assert fate_of(Planned(one, False, "", session(one)), NOW, school).fate is Fate.HELD
        told = fate_of(Planned(one, False, "", session(one, ("two",))), NOW, school)
        assert told.fate is Fate.MISSED
        assert [remark.reason for remark in told.remarks] == [Reason.ROOM_UNHEARD]


def test_a_class_whose_room_has_no_device_did_not_have_the_lesson_of_the_others():
    one = occurrence(day(3), receiving=("two", "three"))
    without = session(one.model_copy(update={"receiving": one.receiving[:1]}))
    assert fate_of(Planned(one, False, "", without), NOW, "three").fate is Fate.MISSED
