"""A whole district written as the tables of schools, imported, is the district that it was."""

import datetime as dt
import random

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.schedule.district import District
from hub.schedule.generate import Extras, planted
from hub.schedule.imports.reading import Wanted, propose
from hub.schedule.register.assembling import district_of
from hub.schedule.register.register import Register
from hub.schedule.terms import Term
from tests.hub.schedule.imports.test_tables import facts, saved

TERM = Term(id="t", first_day=dt.date(2026, 8, 31), weeks=20)
DAYS = "一二三四五六日"
WEEKS = {"AB": "每周", "A": "单周", "B": "双周"}
MODES = {"delivery": "专递课堂", "master": "名师课堂", "open": "公开课"}


def times(slots):
    return "、".join(f"周{DAYS[day - 1]}{period}" for day, period in slots)


def assistants(request):
    return "、".join(request.assistants) or "无"


def window(one):
    return [f"周{DAYS[one.day - 1]}", one.first, one.last, WEEKS[one.weeks]]


OFFERED = ["学科", "年级", "教材版本", "单元", "周次"]
LESSON_HEADER = ["学校", "编号", "主讲教师", "课名", "形式", *OFFERED, "最多接收", "可用时间", "设备要求"]
REQUEST_HEADER = ["学校", "编号", "形式", "班级", "观摩教师", *OFFERED, "可用时间", "助教", "设备要求", "权重"]


def lesson_row(one, homes):
    row = [homes[one.teacher], one.id, one.teacher, one.title, MODES[one.mode], one.subject, one.grade, one.edition]
    row += [one.unit, WEEKS[one.weeks], one.fan_out, times(one.times), "、".join(sorted(one.needs))]
    return row


def request_row(one, homes):
    row = [homes[one.school_class or one.observers[0]], one.id, MODES[one.mode], one.school_class]
    row += ["、".join(one.observers), one.subject, one.grade, one.edition, one.unit, WEEKS[one.weeks]]
    row += [times(one.times), assistants(one), "、".join(sorted(one.needs)), one.weight]
    return row


def tables(district: District) -> dict[str, list[list[object]]]:
    """The sheets of a district, as a school would fill them in."""
    teaches = {one.id: one.school for one in district.teachers}
    sits = {one.id: one.school for one in district.classes}
    closed = ["学校", "教室", "教师", "班级", "星期", "起始节次", "结束节次", "周次"]
    return {
        "学校": [["编号", "名称", "共同体", "上行容量", "薄弱校"]]
        + [[s.id, s.name, s.community, s.uplink, "是" if s.under_resourced else "否"] for s in district.schools],
        "作息": [["学校", "节次", "开始", "结束"]]
        + [[s.id, at, b.begins, b.ends] for s in district.schools for at, b in enumerate(s.bells, 1)],
        "教室": [["学校", "编号", "名称", "设备", "座位数"]]
        + [[r.school, r.id, r.name or "-", "，".join(sorted(r.equipment)), r.seats] for r in district.rooms],
        "教师": [["学校", "编号", "姓名", "每天最多主讲"]]
        + [[t.school, t.id, t.name or "-", t.most_a_day] for t in district.teachers],
        "班级": [["学校", "编号", "名称", "人数"]]
        + [[c.school, c.id, c.name or "-", c.size] for c in district.classes],
        "主讲课": [LESSON_HEADER, *(lesson_row(one, teaches) for one in district.lessons)],
        "需求": [REQUEST_HEADER, *(request_row(one, teaches | sits) for one in district.requests)],
        "固定": [["需求", "主讲课", "时间", "教室"]]
        + [[p.request, p.lesson, times([p.time]) if p.time else None, p.room] for p in district.pins],
        "禁排": [["需求", "班级", "听课学校", "主讲课", "主讲教师", "主讲学校"]]
        + [[b.request, b.school_class, b.school, b.lesson, b.teacher, b.lead_school] for b in district.bans],
        "意愿": [["分值", "需求", "主讲课", "时间", "主讲教师", "主讲学校"]]
        + [
            [w.points, w.request, w.lesson, times([w.time]) if w.time else None, w.teacher, w.lead_school]
            for w in district.wishes
        ],
        "停用": [closed]
        + [[s.id, None, None, None, *window(one)] for s in district.schools for one in s.closed]
        + [[r.school, r.id, None, None, *window(one)] for r in district.rooms for one in r.down]
        + [[t.school, None, t.id, None, *window(one)] for t in district.teachers for one in t.away]
        + [[c.school, None, None, c.id, *window(one)] for c in district.classes for one in c.away],
        "上行限额": [["学校", "上行容量", "星期", "起始节次", "结束节次", "周次"]]
        + [[s.id, one.uplink, *window(one)] for s in district.schools for one in s.uplink_limits],
    }


def plain(district: District) -> dict[str, object]:
    """What a district says, in an order of its own; names that were empty are a dash in the tables."""

    def settled(part):
        told = part.model_dump(mode="json")
        told["name"] = told.get("name") or "-"
        for name in ("down", "away", "closed", "uplink_limits", "times"):
            if isinstance(told.get(name), list):
                told[name] = sorted(map(str, told[name]))
        return str(sorted(told.items()))

    kinds = ("schools", "rooms", "teachers", "classes", "lessons", "requests", "pins", "bans", "wishes")
    return {kind: sorted(settled(one) for one in getattr(district, kind)) for kind in kinds}


def imported(district):
    """What the tables of a district come to."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in tables(district).items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    proposal = propose([saved(book)], [], Wanted())
    assert [one.told("en") for one in proposal.mistakes] == []
    return facts(proposal)


@pytest.fixture(scope="module", params=[1, 2])
def both(request):
    district, _ = planted(8, 30, 60, request.param, Extras.every(0.2))
    return district, imported(district)


def test_a_district_written_as_tables_is_imported_as_it_was(both):
    district, known = both
    made = district_of(Register.read(known), TERM, 1)
    assert made.misfits == ()
    assert plain(made.district) == plain(district)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1 << 32), share=st.sampled_from([0.02, 0.1, 0.5, 0.9]))
def test_whatever_is_gone_the_rest_is_a_district_and_what_names_it_is_told(both, seed, share):
    _, known = both
    chance = random.Random(seed)
    left = [one for one in known if chance.random() >= share]
    made = district_of(Register.read(left), TERM, 1)
    there = {(one.kind, one.id) for one in left}
    planned = {("request", one.id) for one in made.district.requests} | {
        ("lesson", one.id) for one in made.district.lessons
    }
    told = "\n".join(one.told("en") for one in made.misfits)
    homeless = {one.id for one in left if one.kind == "school" and ("bells", one.id) not in there}
    for kind, name in sorted(key for key in there if key[0] in {"request", "lesson"}):
        assert (kind, name) in planned or f"{kind} {name} " in told
    for school in homeless:
        assert f"school {school} " in told
