"""A district of two schools whose bells differ, its plan and its term: what the calendars' tests are about."""

import datetime as dt
from zoneinfo import ZoneInfo

from hub.schedule.district import District
from hub.schedule.facts import Room, School, SchoolClass, Teacher
from hub.schedule.plan import Held, Plan, Served
from hub.schedule.slots import Bell
from hub.schedule.terms import DayOff, MakeUp, Term
from hub.schedule.wants import Lesson, Request

SHANGHAI = ZoneInfo("Asia/Shanghai")
TERM = Term(
    id="2026-autumn",
    name="2026 年秋季学期",
    first_day=dt.date(2026, 8, 31),
    weeks=6,
    uncounted=(dt.date(2026, 9, 28),),
    days_off=(DayOff(date=dt.date(2026, 9, 23), words="运动会"),),
    make_ups=(MakeUp(date=dt.date(2026, 9, 26), week=4, day=3),),
)


def bells(*times):
    return tuple(Bell(begins=begins, ends=ends) for begins, ends in times)


def district():
    return District(
        schools=(
            School(id="one", name="良乡第一小学", bells=bells(("08:00", "08:40"), ("08:50", "09:30"))),
            School(id="two", name="窦店中心小学", bells=bells(("07:50", "08:10"), ("08:55", "09:35"))),
        ),
        rooms=(
            Room(id="one-lead", school="one", name="主讲教室", equipment=frozenset({"lead", "receiving"})),
            Room(id="two-a", school="two", name="双师教室一"),
            Room(id="two-b", school="two", name="双师教室二"),
        ),
        teachers=(
            Teacher(id="li", school="one", name="李静"),
            Teacher(id="wang", school="two", name="王芳"),
            Teacher(id="zhao", school="two", name="赵敏"),
        ),
        classes=(
            SchoolClass(id="two-3-1", school="two", name="三年级 1 班"),
            SchoolClass(id="two-3-2", school="two", name="三年级 2 班"),
        ),
        lessons=(
            Lesson(
                id="english",
                teacher="li",
                title="英语 Unit 3",
                subject="英语",
                grade=3,
                fan_out=3,
                times=((3, 2), (4, 2)),
            ),
            Lesson(
                id="watched",
                mode="master",
                teacher="li",
                subject="语文",
                grade=3,
                weeks="B",
                fan_out=1,
                times=((5, 2),),
            ),
        ),
        requests=(
            Request(
                id="q1", school_class="two-3-1", subject="英语", grade=3, times=((3, 2), (4, 2)), assistants=("wang",)
            ),
            Request(id="q2", school_class="two-3-2", subject="英语", grade=3, weeks="A", times=((3, 2), (4, 2))),
            Request(id="q3", mode="master", observers=("zhao",), subject="语文", grade=3, weeks="B", times=((5, 2),)),
            Request(id="q4", mode="open", school_class="two-3-2", subject="科学", grade=3, weeks="B", times=((1, 1),)),
        ),
    )


def plan(day=3):
    """The English lesson on `day`; the room of q1 is another one in even weeks."""
    return Plan(
        held=(
            Held(lesson="english", time=(day, 2), room="one-lead"),
            Held(lesson="watched", time=(5, 2), room="one-lead"),
        ),
        served=(
            Served(request="q1", lesson="english", time=(day, 2), room="two-a", room_even="two-b", assistant="wang"),
            Served(request="q2", lesson="english", time=(day, 2), room="two-b"),
            Served(request="q3", lesson="watched", time=(5, 2), room="two-a"),
            Served(request="q4", time=(1, 1), room="two-a"),
        ),
    )
