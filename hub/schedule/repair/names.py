"""What people call the parts of a district, in Chinese and in English."""

from hub.schedule.checking.known import Known
from hub.schedule.wants import Request, Topic
from hub.schedule.words import Words

GRADES_ZH = ("一", "二", "三", "四", "五", "六", "七", "八", "九", "十", "十一", "十二")


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
