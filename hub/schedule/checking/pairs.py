"""What is asked of a lesson and a request that meet."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from hub.schedule.checking.known import WEEK_WORDS, Known, named, when
from hub.schedule.facts import School
from hub.schedule.plan import Held, Served
from hub.schedule.slots import Slot, parities
from hub.schedule.wants import Ban, Lesson, Request
from hub.schedule.words import Words

MODE_ZH: Mapping[str, str] = {"delivery": "专递课堂", "master": "名师课堂", "open": "开放课"}
BAN_ZH: Mapping[str, str] = {
    "request": "需求",
    "school_class": "班级",
    "school": "学校",
    "lesson": "主讲课",
    "teacher": "主讲教师",
    "lead_school": "主讲学校",
}


def common_minutes(lead: School, lead_time: Slot, home: School, time: Slot) -> int:
    """Minutes that two slots of two schools have in common; 0 where they have none."""
    if lead_time[0] != time[0] or lead_time[1] > len(lead.bells) or time[1] > len(home.bells):
        return 0
    begins, ends = lead.bells[lead_time[1] - 1].minutes
    other_begins, other_ends = home.bells[time[1] - 1].minutes
    return max(0, min(ends, other_ends) - max(begins, other_begins))


class Pairs:
    """Judges pairs of lesson and request.

    Args:
        known: the district.
    """

    def __init__(self, known: Known) -> None:
        self._known = known
        self._bans: dict[tuple[str, str], list[Ban]] = defaultdict(list)
        for ban in known.district.bans:
            for kind, one in (("request", ban.request), ("class", ban.school_class), ("school", ban.school)):
                if one is not None:
                    self._bans[kind, one].append(ban)
                    break

    def wrong(self, request: Request, served: Served, lesson: Lesson, held: Held | None) -> Iterator[Words]:
        """What is wrong with a request's being served by a lesson."""
        known = self._known
        asks, follows = known.request_words(request), known.lesson_words(lesson)
        who = Words(zh=f"{asks.zh} 听 {follows.zh}", en=f"{asks.en} is served by {follows.en}")
        lead, home = known.lead_school(lesson), known.home(request)
        if lesson.mode != request.mode:
            offered, asked = MODE_ZH[lesson.mode], MODE_ZH[request.mode]
            yield Words(
                zh=f"{who.zh}：这节课是{offered}，需求是{asked}",
                en=f"{who.en}: the lesson is for {lesson.mode}, the request for {request.mode}",
            )
        if lead.id == home.id:
            yield Words(zh=f"{who.zh}：两者同属一所学校", en=f"{who.en}: both are of one school")
        for field, field_zh in (("subject", "学科"), ("grade", "年级"), ("edition", "教材版本")):
            offered, asked = getattr(lesson, field), getattr(request, field)
            if offered != asked:
                yield Words(
                    zh=f"{who.zh}：{field_zh}不同，课是 {offered or '无'}，需求是 {asked or '无'}",
                    en=f"{who.en}: the lesson's {field} is {offered or 'none'}, the request's {asked or 'none'}",
                )
        most = known.district.rules.unit_gap
        if abs(lesson.unit - request.unit) > most:
            yield Words(
                zh=f"{who.zh}：第 {lesson.unit} 单元与第 {request.unit} 单元相差超过 {most} 个单元",
                en=f"{who.en}: unit {lesson.unit} and unit {request.unit} lie more than {most} apart",
            )
        missed = set(parities(request.weeks)) - set(parities(lesson.weeks))
        if missed:
            weeks = WEEK_WORDS[tuple(sorted(missed))]
            yield Words(zh=f"{who.zh}：这节课{weeks.zh}不上", en=f"{who.en}: the lesson is not held in {weeks.en}")
        if held is None:
            yield Words(zh=f"{who.zh}，但这节课没有排", en=f"{who.en}, which is not held")
        else:
            yield from self._times(who, lead, held, home, served)
        for ban in self._bans_on(request, home):
            if _forbids(ban, request, home, lesson, lead):
                named_in = _named_in(ban)
                zh = "、".join(f"{BAN_ZH[field]} {one}" for field, one in named_in.items())
                en = ", ".join(f"{field.replace('_', ' ')} {one}" for field, one in named_in.items())
                yield Words(zh=f"{who.zh}，这是禁排的（{zh}）", en=f"{who.en}, which is banned ({en})")

    def _times(self, who: Words, lead: School, held: Held, home: School, served: Served) -> Iterator[Words]:
        least = self._known.district.rules.min_overlap_minutes
        minutes = common_minutes(lead, held.time, home, served.time)
        if minutes < least:
            there, here = when(held.time), when(served.time)
            yield Words(
                zh=f"{who.zh}：{named(lead)} {there.zh}与 {named(home)} {here.zh}"
                f"只有 {minutes} 分钟重合，至少要 {least} 分钟",
                en=f"{who.en}: {named(lead)} {there.en} and {named(home)} {here.en} "
                f"have {minutes} minutes in common; {least} are needed",
            )

    def _bans_on(self, request: Request, home: School) -> Sequence[Ban]:
        return (
            *self._bans.get(("request", request.id), ()),
            *self._bans.get(("class", request.school_class or ""), ()),
            *self._bans.get(("school", home.id), ()),
        )


def _forbids(ban: Ban, request: Request, home: School, lesson: Lesson, lead: School) -> bool:
    """Whether everybody whom a ban names is there: those it does not name may be anybody."""
    there = {
        "request": request.id,
        "school_class": request.school_class,
        "school": home.id,
        "lesson": lesson.id,
        "teacher": lesson.teacher,
        "lead_school": lead.id,
    }
    return all(there[field] == one for field, one in _named_in(ban).items())


def _named_in(ban: Ban) -> dict[str, str]:
    return {field: one for field, one in ban.model_dump().items() if one is not None}
