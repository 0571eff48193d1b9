"""The tables that schools fill in: which sheets there are, and what stands in their columns.

The template is written from these, and every sheet is read by them; so is a CSV file with the same header.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from hub.schedule.imports import cells
from hub.schedule.imports.columns import (
    DAY_KINDS,
    LESSON_MODES,
    MODES,
    Column,
    between,
    monday,
    named,
    named_anywhere,
    one_of,
    plainly,
    school,
    setting,
    several_named,
)
from hub.schedule.register.kinds import Kind


@dataclass(frozen=True, slots=True)
class Table:
    """One kind of sheet."""

    key: str
    """What `--as` calls it."""
    kind: Kind
    zh: str
    en: str
    columns: tuple[Column, ...]
    also: tuple[str, ...] = ()


_TEXT, _LABEL, _ID = plainly(cells.text), plainly(cells.label), plainly(cells.identifier)
_YES_NO, _WEEKS, _DAY, _DATE = (plainly(read) for read in (cells.yes_no, cells.weeks, cells.day, cells.date))
_SLOTS, _SLOT, _TIME, _GRADE = (plainly(read) for read in (cells.slots, cells.slot, cells.clock_time, cells.grade))
_EQUIPMENT = plainly(cells.equipment)

SCHOOL_COLUMN = Column("school", "学校", "School", school, "东关小学", needed=True, also=("学校名称", "所属学校"))


def _id(example: str = "") -> Column:
    return Column("id", "编号", "ID", _ID, example, also=("代码", "编码", "标识", "code"))


_SUBJECT = Column("subject", "学科", "Subject", _LABEL, "英语", needed=True, also=("科目", "课程", "course"))
_GRADE_COLUMN = Column("grade", "年级", "Grade", _GRADE, "三年级")
_EDITION = Column("edition", "教材版本", "Edition", _LABEL, "人教版", also=("版本", "教材"))
_UNIT = Column("unit", "单元", "Unit", between(0, 99), 3, also=("单元进度", "进度"))
_WEEKS_COLUMN = Column("weeks", "周次", "Weeks", _WEEKS, "每周", also=("单双周",))
_NEEDS = Column("needs", "设备要求", "Needs", _EQUIPMENT, "", also=("所需设备",))
_WORDS = Column("words", "说明", "Reason", _TEXT, "", also=("原因", "备注", "事由", "note"))
_STRETCH = (
    Column("day", "星期", "Weekday", _DAY, "", also=("周几",)),
    _WEEKS_COLUMN,
    Column("begins", "开始日期", "From", _DATE, "2026-10-12", also=("起始日期", "开始")),
    Column("ends", "结束日期", "Until", _DATE, "2026-10-13", also=("截止日期", "结束", "to")),
    Column("first", "起始节次", "First period", between(1, 20), "", also=("第几节起", "开始节次")),
    Column("last", "结束节次", "Last period", between(1, 20), "", also=("第几节止",)),
    _WORDS,
)

TABLES: tuple[Table, ...] = (
    Table(
        "rules",
        Kind.RULES,
        "规则",
        "Rules",
        (
            Column("setting", "参数", "Setting", setting, "单元差", needed=True, also=("规则", "目标", "rule", "goal")),
            Column("value", "值", "Value", between(0, 1_000_000), 2, needed=True, also=("数值", "分值")),
        ),
        also=("目标", "goals"),
    ),
    Table(
        "terms",
        Kind.TERM,
        "学期",
        "Terms",
        (
            _id("2026-autumn"),
            Column("name", "名称", "Name", _TEXT, "2026—2027学年第一学期", also=("学期", "学期名称", "term")),
            Column("first_day", "第一周周一", "First Monday", monday, "2026-08-31", needed=True, also=("开始日期",)),
            Column("weeks", "教学周数", "Weeks", between(1, 60), 20, needed=True, also=("周数",)),
        ),
    ),
    Table(
        "calendar",
        Kind.TERM,
        "校历",
        "Calendar",
        (
            Column("term", "学期", "Term", named_anywhere(Kind.TERM), "2026-autumn", needed=True),
            Column("date", "日期", "Date", _DATE, "2026-10-01", needed=True),
            Column("what", "类型", "What", one_of(DAY_KINDS, "day_kind"), "放假", needed=True),
            Column("as_day", "补星期几", "As weekday", _DAY, "", also=("补周几", "按星期几")),
            Column("as_week", "补第几周", "As week", between(1, 60), "", also=("按第几周",)),
            _WEEKS_COLUMN,
            _WORDS,
        ),
    ),
    Table(
        "schools",
        Kind.SCHOOL,
        "学校",
        "Schools",
        (
            _id("dongguan"),
            Column("name", "名称", "Name", _TEXT, "东关小学", needed=True, also=("学校", "学校名称", "校名", "school")),
            Column("community", "共同体", "Community", _LABEL, "东片共同体", also=("教育共同体", "集团", "学区")),
            Column("uplink", "上行容量", "Uplink", between(0, 10_000), 6, also=("上行路数", "上行")),
            Column("under_resourced", "薄弱校", "Under-resourced", _YES_NO, "否", also=("是否薄弱校",)),
        ),
    ),
    Table(
        "bells",
        Kind.BELLS,
        "作息",
        "Bells",
        (
            SCHOOL_COLUMN,
            Column("period", "节次", "Period", between(1, 20), 1, needed=True, also=("节", "第几节")),
            Column("begins", "开始", "Begins", _TIME, "08:00", needed=True, also=("开始时间", "上课", "start")),
            Column("ends", "结束", "Ends", _TIME, "08:40", needed=True, also=("结束时间", "下课", "end")),
        ),
        also=("作息时间", "作息时间表", "bell times"),
    ),
    Table(
        "rooms",
        Kind.ROOM,
        "教室",
        "Rooms",
        (
            SCHOOL_COLUMN,
            _id(),
            Column("name", "名称", "Name", _TEXT, "双师教室1", needed=True, also=("教室", "教室名称", "room")),
            Column("equipment", "设备", "Equipment", _EQUIPMENT, "主讲、听课", also=("教室设备", "用途")),
            Column("seats", "座位数", "Seats", between(1, 1000), 45, also=("座位", "容量", "capacity")),
        ),
    ),
    Table(
        "teachers",
        Kind.TEACHER,
        "教师",
        "Teachers",
        (
            SCHOOL_COLUMN,
            _id(),
            Column("name", "姓名", "Name", _TEXT, "李梅", needed=True, also=("教师", "教师姓名", "名称", "teacher")),
            Column(
                "subjects",
                "学科",
                "Subjects",
                lambda cell, _: [cells.label(one) for one in cells.several(cell)],
                "英语",
            ),
            Column("assists", "可助教", "Assists", _YES_NO, "是", also=("助教", "能否助教")),
            Column("most_a_day", "每天最多主讲", "Most a day", between(1, 20), 2, also=("日最多主讲",)),
        ),
    ),
    Table(
        "classes",
        Kind.CLASS,
        "班级",
        "Classes",
        (
            SCHOOL_COLUMN,
            _id(),
            Column("name", "名称", "Name", _TEXT, "三年级1班", needed=True, also=("班级", "班级名称", "class")),
            _GRADE_COLUMN,
            Column("size", "人数", "Size", between(1, 500), 42, also=("学生数", "班额", "students")),
        ),
    ),
    Table(
        "timetables",
        Kind.TIMETABLE,
        "课表",
        "Timetables",
        (
            SCHOOL_COLUMN,
            Column("school_class", "班级", "Class", named(Kind.CLASS), "三年级1班", needed=True),
            Column("day", "星期", "Weekday", _DAY, "周一", needed=True, also=("周几",)),
            Column("period", "节次", "Period", between(1, 20), 2, needed=True, also=("节", "第几节")),
            _SUBJECT,
            Column("teacher", "教师", "Teacher", named(Kind.TEACHER), "李梅", also=("任课教师",)),
            _WEEKS_COLUMN,
        ),
    ),
    Table(
        "lessons",
        Kind.LESSON,
        "主讲课",
        "Lessons",
        (
            SCHOOL_COLUMN,
            _id("l-301"),
            Column("teacher", "主讲教师", "Teacher", named(Kind.TEACHER), "李梅", needed=True, also=("教师",)),
            Column("title", "课名", "Title", _TEXT, "", also=("名称", "标题")),
            Column("mode", "形式", "Mode", one_of(LESSON_MODES, "lesson_mode"), "专递课堂", also=("课型", "类型")),
            _SUBJECT,
            Column("grade", "年级", "Grade", _GRADE, "三年级", needed=True),
            _EDITION,
            _UNIT,
            _WEEKS_COLUMN,
            Column(
                "fan_out", "最多接收", "Fan-out", between(1, 200), 3, needed=True, also=("最多接收教室", "接收上限")
            ),
            Column("times", "可用时间", "Times", _SLOTS, "周一2 周三2", also=("时间", "上课时间")),
            _NEEDS,
        ),
    ),
    Table(
        "requests",
        Kind.REQUEST,
        "需求",
        "Requests",
        (
            SCHOOL_COLUMN,
            _id("q-301"),
            Column("mode", "形式", "Mode", one_of(MODES, "mode"), "专递课堂", also=("课型", "类型")),
            Column("school_class", "班级", "Class", named(Kind.CLASS), "三年级1班", also=("听课班级",)),
            Column("observers", "观摩教师", "Observers", several_named(Kind.TEACHER), "", also=("听课教师",)),
            _SUBJECT,
            _GRADE_COLUMN,
            _EDITION,
            _UNIT,
            _WEEKS_COLUMN,
            Column("times", "可用时间", "Times", _SLOTS, "周一2、周三3", also=("时间", "听课时间")),
            Column("assistants", "助教", "Assistants", several_named(Kind.TEACHER), "", also=("助教教师",)),
            _NEEDS,
            Column("weight", "权重", "Weight", between(1, 100), 1),
        ),
    ),
    Table(
        "progress",
        Kind.PROGRESS,
        "教学进度",
        "Progress",
        (
            Column("school", "学校", "School", school, "东关小学"),
            Column("school_class", "班级", "Class", named(Kind.CLASS), "三年级1班"),
            _GRADE_COLUMN,
            Column("lesson", "主讲课", "Lesson", named_anywhere(Kind.LESSON), "", also=("主讲课编号",)),
            Column("subject", "学科", "Subject", _LABEL, "英语", also=("科目", "课程")),
            Column("week", "起始周", "From week", between(1, 60), 1, also=("周", "第几周", "教学周", "week")),
            _EDITION,
            _UNIT,
        ),
        also=("进度",),
    ),
    Table(
        "pins",
        Kind.PIN,
        "固定",
        "Pins",
        (
            Column(
                "request", "需求", "Request", named_anywhere(Kind.REQUEST), "q-301", needed=True, also=("需求编号",)
            ),
            Column("lesson", "主讲课", "Lesson", named_anywhere(Kind.LESSON), "", also=("主讲课编号",)),
            Column("time", "时间", "Time", _SLOT, "周三2"),
            Column("room", "教室", "Room", named_anywhere(Kind.ROOM), ""),
        ),
    ),
    Table(
        "bans",
        Kind.BAN,
        "禁排",
        "Bans",
        (
            _id(),
            Column("request", "需求", "Request", named_anywhere(Kind.REQUEST), "", also=("需求编号",)),
            Column("school", "听课学校", "School", school, "东关小学", also=("学校",)),
            Column("school_class", "班级", "Class", named(Kind.CLASS), ""),
            Column("lesson", "主讲课", "Lesson", named_anywhere(Kind.LESSON), "", also=("主讲课编号",)),
            Column("lead_school", "主讲学校", "Lead school", named_anywhere(Kind.SCHOOL), ""),
            Column("teacher", "主讲教师", "Teacher", named_anywhere(Kind.TEACHER), "李梅", also=("教师",)),
            _WORDS,
        ),
        also=("禁止",),
    ),
    Table(
        "wishes",
        Kind.WISH,
        "意愿",
        "Wishes",
        (
            _id(),
            Column("request", "需求", "Request", named_anywhere(Kind.REQUEST), "q-301", also=("需求编号",)),
            Column("lesson", "主讲课", "Lesson", named_anywhere(Kind.LESSON), "", also=("主讲课编号",)),
            Column("time", "时间", "Time", _SLOT, "周三2"),
            Column("lead_school", "主讲学校", "Lead school", named_anywhere(Kind.SCHOOL), ""),
            Column("teacher", "主讲教师", "Teacher", named_anywhere(Kind.TEACHER), "", also=("教师",)),
            Column("points", "分值", "Points", between(-1000, 1000), 20, needed=True, also=("分数",)),
            _WORDS,
        ),
        also=("偏好",),
    ),
    Table(
        "closures",
        Kind.CLOSURE,
        "停用",
        "Closures",
        (
            _id(),
            Column("school", "学校", "School", school, "东关小学"),
            Column("room", "教室", "Room", named(Kind.ROOM), "双师教室1"),
            Column("teacher", "教师", "Teacher", named(Kind.TEACHER), ""),
            Column("school_class", "班级", "Class", named(Kind.CLASS), ""),
            *_STRETCH,
        ),
        also=("维护", "停课", "请假", "maintenance", "absences"),
    ),
    Table(
        "limits",
        Kind.LIMIT,
        "上行限额",
        "Uplink limits",
        (
            _id(),
            SCHOOL_COLUMN,
            Column("uplink", "上行容量", "Uplink", between(0, 10_000), 2, needed=True, also=("上行路数", "限额")),
            *_STRETCH,
        ),
        also=("限额", "上行"),
    ),
)
"""In the order in which they refer to each other."""

BY_KEY: Mapping[str, Table] = {table.key: table for table in TABLES}
