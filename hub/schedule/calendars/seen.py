"""A dated lesson as a room, teacher, class or school sees it: their time, their place, and the words for it."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from contract.timetable import TimetableSlot
from hub.schedule.calendars.occurrences import Kind, LeadPart, Occurrence, Person, ReceivingPart, RoomPart, teachers_of

GRADES_ZH = ("一", "二", "三", "四", "五", "六", "七", "八", "九", "高一", "高二", "高三")
FIRST_OF_SENIOR = 10
MODES = {
    "zh": {"delivery": "专递课堂", "master": "名师课堂", "open": "名校网络课堂"},
    "en": {"delivery": "delivery class", "master": "master class", "open": "open class"},
}
_WORDS = {
    "zh": {
        "lead": "主讲",
        "receiving": "听课",
        "room": "教室",
        "make_up": "（补课）",
        "why": "说明：",
        "cancelled": "已取消：",
        "no_part": "与本日历无关了",
        "calendar": "{name} 双师课表",
        "colon": "：",
        "comma": "、",
        "brackets": "（{}）",
    },
    "en": {
        "lead": "Taught from",
        "receiving": "Followed in",
        "room": "Room",
        "make_up": " (make-up day)",
        "why": "Why: ",
        "cancelled": "Cancelled: ",
        "no_part": "this calendar has no part in it any more",
        "calendar": "{name}: paired lessons",
        "colon": ": ",
        "comma": ", ",
        "brackets": " ({})",
    },
}

WITHDRAWN = "the plan was withdrawn"
REPLACED = "another plan counts now"
CALLED_OFF = "its session was called off"
"""Why the desk cancels lessons; kept in English, told in any language."""
_REASONS_ZH = {WITHDRAWN: "课表已撤回", REPLACED: "已按新的课表安排", CALLED_OFF: "本节课的会话已取消"}


def why_said(words: str, language: str) -> str:
    """Why a lesson was cancelled: our own reasons in the reader's language, others as somebody typed them."""
    return _REASONS_ZH.get(words, words) if language == "zh" else words


def printable(text: str) -> str:
    r"""Words without what neither iCalendar nor XML may hold: control characters, other than new lines.

    >>> printable("Unit\x0b 3")
    'Unit 3'
    """
    return "".join(sign for sign in text if sign == "\n" or unicodedata.category(sign) != "Cc")


def said(key: str, language: str) -> str:
    """A word of the calendars; Chinese for `zh`, else English."""
    return _WORDS["zh" if language == "zh" else "en"][key]


@dataclass(frozen=True, slots=True)
class Seen:
    """One occurrence in one calendar."""

    occurrence: Occurrence
    parts: tuple[RoomPart, ...]
    """The rooms of it that the calendar's owner is in; all of them where they have no part any more."""
    concerned: bool
    """Whether the owner has a part in it."""

    @property
    def epoch(self) -> float:
        """When it begins there, in seconds of UTC."""
        return min(part.epoch for part in self.parts)

    @property
    def ends(self) -> float:
        """When it ends there."""
        return max(part.ends for part in self.parts)

    @property
    def slot(self) -> TimetableSlot:
        """Week, weekday and period as their school counts them."""
        return self.occurrence.slot.model_copy(update={"period": self.parts[0].period})

    def where(self, language: str) -> str:
        """Room and school."""
        return printable(said("comma", language).join(dict.fromkeys(place(part) for part in self.parts)))

    def title(self, language: str) -> str:
        """What the lesson is called; else its subject and grade."""
        return printable(self.occurrence.title) or topic(self.occurrence, language)

    def told(self, language: str, why: str = "") -> str:
        """Everything about it, a line each: when, who with whom, and why it changed."""
        occurrence = self.occurrence
        extra = said("make_up", language) if occurrence.make_up else ""
        lines = [f"{self.slot.words(language)}{extra}", f"{topic(occurrence, language)} {mode(occurrence, language)}"]
        for part in occurrence.rooms:
            role = "lead" if isinstance(part, LeadPart) else "room" if occurrence.lead is None else "receiving"
            lines.append(f"{said(role, language)}{said('colon', language)}{_with_people(part, language)}")
        if not self.concerned:
            lines.append(said("no_part", language))
        if why:
            lines.append(f"{said('why', language)}{why_said(why, language)}")
        return printable("\n".join(lines))


def seen_by(occurrence: Occurrence, kind: Kind, who: str) -> Seen:
    """An occurrence in somebody's calendar."""
    parts = tuple(part for part in occurrence.rooms if _is_in(part, kind, who))
    return Seen(occurrence, parts or occurrence.rooms, bool(parts))


def name_of(kind: Kind, who: str, occurrences: Iterable[Occurrence]) -> str:
    """What people call a room, teacher, class or school, as their newest lesson has it; else their id."""
    found = ""
    for occurrence in occurrences:
        for part in occurrence.rooms:
            if _is_in(part, kind, who):
                found = _name_in(part, kind, who) or found
    return printable(found) or who


def topic(occurrence: Occurrence, language: str) -> str:
    """Grade and subject.

    Its grade is said as schools do: 三年级, 高一.
    """
    subject = printable(occurrence.subject)
    if language != "zh":
        return f"{subject}, grade {occurrence.grade}"
    grade = GRADES_ZH[occurrence.grade - 1]
    return f"{grade}{'' if occurrence.grade >= FIRST_OF_SENIOR else '年级'}{subject}"


def mode(occurrence: Occurrence, language: str) -> str:
    """The mode of class."""
    return MODES["zh" if language == "zh" else "en"][occurrence.mode]


def place(part: RoomPart) -> str:
    """School and room."""
    return f"{part.school_name or part.school} {part.room_name or part.room}"


def _is_in(part: RoomPart, kind: Kind, who: str) -> bool:
    match kind:
        case Kind.ROOM:
            return part.room == who
        case Kind.SCHOOL:
            return part.school == who
        case Kind.TEACHER:
            return any(teacher.id == who for teacher in teachers_of(part))
        case Kind.CLASS:
            return isinstance(part, ReceivingPart) and part.school_class == who


def _name_in(part: RoomPart, kind: Kind, who: str) -> str:
    match kind:
        case Kind.ROOM:
            return place(part)
        case Kind.SCHOOL:
            return part.school_name
        case Kind.TEACHER:
            return next(teacher.name for teacher in teachers_of(part) if teacher.id == who)
        case Kind.CLASS:
            name = part.class_name if isinstance(part, ReceivingPart) else ""
            return f"{part.school_name} {name}".strip() if name else ""


def _with_people(part: RoomPart, language: str) -> str:
    whom = [_called(teacher) for teacher in teachers_of(part)]
    if isinstance(part, ReceivingPart) and part.school_class is not None:
        with_class = f"{place(part)} {part.class_name or part.school_class}"
    else:
        with_class = place(part)
    return with_class + (said("brackets", language).format(said("comma", language).join(whom)) if whom else "")


def _called(person: Person) -> str:
    return person.name or person.id
