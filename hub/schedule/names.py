"""What people call the parts of a district, in Chinese and in English."""

from collections.abc import Iterable

from hub.schedule.checking.known import Known
from hub.schedule.slots import Part, Slot, Weeks, Window
from hub.schedule.wants import Request, Topic

DAYS_ZH = ("周一", "周二", "周三", "周四", "周五", "周六", "周日")
DAYS_EN = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
WEEKS_ZH = {"AB": "", "A": "单周", "B": "双周"}
WEEKS_EN = {"AB": "", "A": " in odd weeks", "B": " in even weeks"}
GRADES_ZH = ("一", "二", "三", "四", "五", "六", "七", "八", "九", "十", "十一", "十二")
LAST_PERIOD = 20
"""A window that ends there ends with the day."""


class Words(Part):
    """The same said in both languages."""

    zh: str
    en: str


def listed(all_words: Iterable[Words]) -> Words:
    """Several, one after the other."""
    found = list(all_words)
    return Words(zh="、".join(one.zh for one in found), en=", ".join(one.en for one in found))


def slot_words(time: Slot, weeks: Weeks = "AB") -> Words:
    """A slot of a school's own bells.

    >>> slot_words((3, 3)).zh, slot_words((3, 3), "A").en
    ('周三 第 3 节', 'Wednesday, period 3, in odd weeks')
    """
    day, period = time
    zh = f"{WEEKS_ZH[weeks]}{DAYS_ZH[day - 1]} 第 {period} 节"
    en = f"{DAYS_EN[day - 1]}, period {period}" + (f",{WEEKS_EN[weeks]}" if weeks != "AB" else "")
    return Words(zh=zh, en=en)


def window_words(window: Window) -> Words:
    """A stretch of periods of one weekday.

    >>> window_words(Window(day=3)).zh, window_words(Window(day=3, first=2, last=4)).en
    ('周三全天', 'Wednesday, periods 2 to 4')
    """
    if window.first == window.last:
        return slot_words((window.day, window.first), window.weeks)
    zh, en = WEEKS_ZH[window.weeks] + DAYS_ZH[window.day - 1], DAYS_EN[window.day - 1]
    if window.first == 1 and window.last == LAST_PERIOD:
        return Words(zh=f"{zh}全天", en=f"{en}, the whole day{WEEKS_EN[window.weeks]}")
    return Words(
        zh=f"{zh} 第 {window.first} 至 {window.last} 节",
        en=f"{en}, periods {window.first} to {window.last}{WEEKS_EN[window.weeks]}",
    )


class Names(Known):
    """Everything in a district by its id and by what people call it; an id stands where nobody gave a name."""

    def school(self, school: str) -> str:
        """As people call it."""
        return self.schools[school].name or school

    def room(self, room: str) -> str:
        """With its school."""
        one = self.rooms[room]
        return f"{self.school(one.school)} {one.name or room}"

    def teacher(self, teacher: str) -> str:
        """With the school."""
        one = self.teachers[teacher]
        return f"{self.school(one.school)} {one.name or teacher}"

    def school_class(self, school_class: str) -> str:
        """With its school."""
        one = self.classes[school_class]
        return f"{self.school(one.school)} {one.name or school_class}"

    def lesson(self, lesson: str) -> Words:
        """A lead lesson: what it is, and who teaches it."""
        one = self.lessons[lesson]
        teacher = self.teachers[one.teacher]
        who = teacher.name or teacher.id
        topic = topic_words(one)
        zh = f"《{one.title}》" if one.title else topic.zh
        en = f"“{one.title}”" if one.title else topic.en
        school = self.school(teacher.school)
        return Words(zh=f"{school} {who} 的{zh}", en=f"{en} of {who} ({school})")

    def request(self, request: str) -> Words:
        """Who asks, and for what."""
        one = self.requests[request]
        topic = topic_words(one)
        if one.school_class is not None:
            who = self.school_class(one.school_class)
            return Words(zh=f"{who} 的{topic.zh}", en=f"{topic.en} of {who}")
        who = "、".join(self.teacher(observer) for observer in one.observers)
        return Words(zh=f"{who} 观摩{topic.zh}", en=f"{topic.en}, observed by {who}")

    def people(self, request: Request, assistant: str | None) -> tuple[str, ...]:
        """The teachers of the request's school who are in its room."""
        return (*request.observers, *((assistant,) if assistant is not None else ()))


def topic_words(topic: Topic) -> Words:
    """Subject and grade.

    >>> topic_words(Topic(subject="英语", grade=3)).zh
    '三年级英语'
    """
    return Words(
        zh=f"{GRADES_ZH[topic.grade - 1]}年级{topic.subject}",
        en=f"{topic.subject}, grade {topic.grade}",
    )
