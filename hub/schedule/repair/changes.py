"""What a repaired plan changes, and for whom, in words."""

from collections.abc import Iterable, Mapping
from typing import Any

from hub.schedule.district import District
from hub.schedule.plan import Held, Plan, Served
from hub.schedule.repair.alternative import Alternative, AlternativeKind, Change, ChangeKind
from hub.schedule.repair.disruption import Substitute
from hub.schedule.repair.names import Names
from hub.schedule.words import Words, slot_words


class Before:
    """The plan before, with the names of its district."""

    def __init__(self, district: District, plan: Plan) -> None:
        self.district = district
        self.plan = plan
        self.names = Names(district)
        self.requests = district.requests
        self.held = {one.lesson: one for one in plan.held}
        self.served = {one.request: one for one in plan.served}


def changes_of(before: Before, facts: District, alternative: Alternative) -> tuple[Change, ...]:
    """What is otherwise: lessons first, then requests as the file has them.

    Args:
        before: the plan before.
        facts: the district that the new plan answers.
        alternative: the new plan, and who was hit.
    """
    return tuple(_Told(before, facts, alternative).all())


def summary(kind: AlternativeKind, placed: int, lost: int, moved: int, substitutes: int) -> Words:
    """What an alternative comes to."""
    what = {
        "keep": Words(zh="计划不变", en="The plan holds as it is"),
        "nobody-moves": Words(zh="其他课都不动", en="Nobody else moves"),
        "some-move": Words(zh=f"另外调动 {moved} 节", en=f"{moved} others move"),
        "substitute": Words(zh=f"请 {substitutes} 位老师代课", en=f"{substitutes} substitute(s) step in"),
        "postpone": Words(zh="原课改期", en="The same lessons at another time"),
        "cancel": Words(zh="受影响的课停上", en="What was hit is called off"),
    }[kind]
    if kind == "keep":
        return what
    again = Words(zh="保住", en="kept") if kind == "substitute" else Words(zh="重新安排", en="placed anew")
    zh = [f"{again.zh} {placed} 节"] * bool(placed) + [f"取消 {lost} 节"] * bool(lost)
    en = [f"{placed} {again.en}"] * bool(placed) + [f"{lost} lost"] * bool(lost)
    return Words(zh="，".join([what.zh, *zh]), en=", ".join([what.en, *en]))


class _Told:
    def __init__(self, before: Before, facts: District, alternative: Alternative) -> None:
        self._before = before
        self._names = Names(facts)
        self._alternative = alternative
        self._held = {one.lesson: one for one in alternative.plan.held}
        self._served = {one.request: one for one in alternative.plan.served}

    def all(self) -> Iterable[Change]:
        for one in self._alternative.facts:
            if isinstance(one, Substitute):
                yield self._substitute(one)
        for lesson in self._before.district.lessons:
            yield from self._lesson(lesson.id)
        for request in self._before.district.requests:
            yield from self._request(request.id)
        for unpinned in self._alternative.unpinned:
            words = self._names.request(unpinned)
            yield Change(
                kind="unpinned",
                request=unpinned,
                schools=(self._names.home(self._names.requests[unpinned]).id,),
                words=Words(zh=f"{words.zh}：固定安排已无法保持", en=f"{words.en}: its pin cannot be kept"),
            )

    def _substitute(self, one: Substitute) -> Change:
        names = self._names
        who = names.teacher(one.teacher)
        school = names.teachers[one.teacher].school
        if one.lesson is not None:
            instead = self._before.names.lessons[one.lesson].teacher
            what = self._before.names.lesson(one.lesson)
            words = Words(zh=f"{who} 代上 {what.zh}", en=f"{who} takes {what.en}")
            classes = [
                names.requests[two.request].school_class for two in self._served.values() if two.lesson == one.lesson
            ]
        else:
            asked = names.requests[one.request or ""]
            served = self._before.served.get(asked.id)
            instead = (served.assistant if served is not None else None) or asked.assistants[0]
            what = names.request(asked.id)
            words = Words(zh=f"{who} 代为协助 {what.zh}", en=f"{who} assists in {what.en}")
            classes = [asked.school_class]
        return Change(
            kind="substitute",
            request=one.request,
            lesson=one.lesson,
            schools=(school,),
            teachers=tuple(filter(None, (one.teacher, instead))),
            classes=tuple(sorted(filter(None, classes))),
            words=words,
        )

    def _lesson(self, lesson: str) -> Iterable[Change]:
        was, now = self._before.held.get(lesson), self._held.get(lesson)
        if was is None and now is None:
            return
        what = self._names.lesson(lesson)
        teacher = self._names.lessons[lesson].teacher
        to: dict[str, Any] = {
            "lesson": lesson,
            "schools": (self._names.teachers[teacher].school,),
            "teachers": tuple(sorted({teacher, self._before.names.lessons[lesson].teacher})),
            "rooms": _rooms(was, now),
        }
        if was is not None and now is None:
            then = slot_words(was.time)
            words = Words(zh=f"{what.zh}：{then.zh}停上", en=f"{what.en}: off on {then.en}")
            yield Change(kind="lesson-off", words=words, **to)
        elif was is None and now is not None:
            then, room = slot_words(now.time), self._names.room(now.room)
            words = Words(zh=f"{what.zh}：{then.zh}开课，{room}", en=f"{what.en}: held on {then.en} in {room}")
            yield Change(kind="lesson-on", words=words, **to)
        elif was is not None and now is not None and was.time != now.time:
            yield Change(kind="lesson-moved", words=_moved(what, was, now, self._names), **to)
        elif was is not None and now is not None and (was.room, was.room_even) != (now.room, now.room_even):
            yield Change(kind="room", words=_other_room(what, was, now, self._names), **to)

    def _request(self, request: str) -> Iterable[Change]:
        was, now = self._before.served.get(request), self._served.get(request)
        if was is None:
            return
        asked = self._names.requests[request]
        what = self._names.request(request)
        people = {*self._names.people(asked, was.assistant), *(self._names.people(asked, now.assistant) if now else ())}
        to: dict[str, Any] = {
            "request": request,
            "schools": (self._names.home(asked).id,),
            "teachers": tuple(sorted(people)),
            "classes": (asked.school_class,) if asked.school_class is not None else (),
            "rooms": _rooms(was, now),
        }
        if now is None:
            then = slot_words(was.time)
            words = Words(zh=f"{what.zh}：{then.zh}取消", en=f"{what.en}: not on {then.en} any more")
            yield Change(kind="lost", words=words, lesson=was.lesson, **self._with_lead(to, was.lesson))
            return
        to["lesson"] = now.lesson
        lead_moved = now.lesson == was.lesson and now.lesson is not None and self._lead_moved(now.lesson)
        if was.time != now.time or was.lesson != now.lesson or lead_moved:
            words = _moved(what, was, now, self._names)
            if was.lesson != now.lesson and now.lesson is not None:
                lesson = self._names.lesson(now.lesson)
                words = Words(zh=f"{words.zh}，改听 {lesson.zh}", en=f"{words.en}, following {lesson.en}")
            kind: ChangeKind = "placed" if request in self._alternative.hit else "moved"
            yield Change(kind=kind, words=words, **self._with_lead(self._with_lead(to, was.lesson), now.lesson))
            return
        if (was.room, was.room_even) != (now.room, now.room_even):
            yield Change(kind="room", words=_other_room(what, was, now, self._names), **to)
        if was.assistant != now.assistant:
            then = slot_words(now.time)
            who = self._names.teacher(now.assistant) if now.assistant is not None else ""
            words = Words(zh=f"{what.zh}：{then.zh}改由 {who} 协助", en=f"{what.en}: {who} assists on {then.en}")
            yield Change(kind="assistant", words=words, **to)

    def _with_lead(self, to: Mapping[str, Any], lesson: str | None) -> dict[str, Any]:
        """Whoever leads has to know who joins and who leaves."""
        if lesson is None:
            return dict(to)
        one = self._names.lessons[lesson]
        school = self._names.lead_school(one).id
        return {
            **to,
            "schools": tuple(dict.fromkeys((*to["schools"], school))),
            "teachers": tuple(dict.fromkeys((*to["teachers"], one.teacher))),
        }

    def _lead_moved(self, lesson: str) -> bool:
        return self._before.held[lesson].time != self._held[lesson].time


def _rooms(was: Held | Served | None, now: Held | Served | None) -> tuple[str, ...]:
    planned = [one for one in (was, now) if one is not None]
    named = [room for one in planned for room in (one.room, one.room_even) if room is not None]
    return tuple(dict.fromkeys(named))


def _moved(what: Words, was: Held | Served, now: Held | Served, names: Names) -> Words:
    before, after, room = slot_words(was.time), slot_words(now.time), names.room(now.room)
    if was.time == now.time:
        return Words(zh=f"{what.zh}：{after.zh}，{room}", en=f"{what.en}: {after.en}, {room}")
    return Words(
        zh=f"{what.zh}：由{before.zh}改到{after.zh}，{room}",
        en=f"{what.en}: from {before.en} to {after.en}, {room}",
    )


def _other_room(what: Words, was: Held | Served, now: Held | Served, names: Names) -> Words:
    then = slot_words(now.time)
    before, after = names.rooms[was.room].name or was.room, names.rooms[now.room].name or now.room
    if was.room == now.room and now.room_even is not None:
        after = names.rooms[now.room_even].name or now.room_even
    return Words(
        zh=f"{what.zh}：{then.zh}由{before}改到{after}",
        en=f"{what.en}: on {then.en} in {after} instead of {before}",
    )
