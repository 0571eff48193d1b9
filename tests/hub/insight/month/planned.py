"""Planned lessons and what became of them, for tests of month reports."""

import datetime as dt
from zoneinfo import ZoneInfo

from contract.session import Mode, Policy, Role
from contract.state import SessionState
from hub.insight.month.fates import Planned
from hub.schedule.calendars.occurrences import LeadPart, Occurrence, Person, ReceivingPart
from hub.session.remarks import Reason, Remark
from hub.session.views import RoomView, SessionView

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW = dt.datetime(2026, 11, 30, 18, tzinfo=SHANGHAI).timestamp()
SCHOOLS = {"one": "第一小学", "two": "石桥小学", "three": "新河小学"}


def occurrence(
    at: dt.datetime, *, receiving: tuple[str, ...] = ("two",), lead: str = "one", lesson: str = "l1", rooms=None
):
    epoch = at.timestamp()
    rooms = rooms or {}
    common = {"period": 3, "epoch": epoch, "ends": epoch + 2400}
    return Occurrence(
        id=f"t~{lesson}~{at:%m%d%H%M}",
        term="t",
        week=12,
        day=at.isoweekday(),
        date=at.date(),
        lesson=lesson,
        mode="delivery",
        subject="英语",
        grade=3,
        epoch=epoch,
        ends=epoch + 2400,
        lead=LeadPart(
            room=rooms.get(lead, f"{lead}-lead"),
            school=lead,
            school_name=SCHOOLS[lead],
            teacher=Person(id="li", name="李静"),
            **common,
        ),
        receiving=tuple(
            ReceivingPart(
                room=rooms.get(school, f"{school}-room"),
                school=school,
                school_name=SCHOOLS[school],
                request=f"r-{school}",
                school_class=f"k-{school}",
                class_name="三年级2班",
                common_epoch=epoch,
                common_ends=epoch + 2400,
                **common,
            )
            for school in receiving
        ),
    )


def opened(at: dt.datetime, school: str = "two") -> Occurrence:
    """A room booked for an open class."""
    one = occurrence(at, receiving=(school,), lesson=f"open-{school}")
    return one.model_copy(update={"lead": None, "mode": "open"})


def session(one: Occurrence, missing: tuple[str, ...] = (), state: SessionState = SessionState.UPLOADED) -> SessionView:
    rooms = []
    for part in one.rooms:
        there = part.school not in missing
        remark = None if there else Remark(reason=Reason.ROOM_UNHEARD, room=part.school_name)
        rooms.append(
            RoomView(
                room=part.room,
                name=part.school_name,
                school=part.school_name,
                role=Role.LEAD if part == one.rooms[0] else Role.RECEIVING,
                device=part.room,
                online=True,
                state=SessionState.UPLOADED if there else SessionState.FAILED,
                words="",
                remark=remark,
                held=True,
                receipt=there,
            )
        )
    return SessionView(
        session=f"s-{one.epoch:.0f}",
        rev=1,
        title="",
        mode=Mode(one.mode),
        state=state,
        words="",
        epoch=one.epoch,
        seconds=2400,
        now_t=0,
        policy=Policy(),
        rooms=tuple(rooms),
    )


def day(date: int, hour: int = 9) -> dt.datetime:
    return dt.datetime(2026, 11, date, hour, tzinfo=SHANGHAI)


def held(date: int, *, missing: tuple[str, ...] = (), **more) -> Planned:
    one = occurrence(day(date), **more)
    return Planned(one, cancelled=False, words="", session=session(one, missing))
