"""Where a lesson stands in the timetable, as a school speaks of it: week, weekday, period."""

from pydantic import Field

from contract.model import Message

_DAYS_ZH = "一二三四五六日"
_DAYS_EN = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class TimetableSlot(Message):
    """Week of the term, weekday and period; a make-up day is named as the day whose lessons it takes."""

    week: int = Field(ge=1, le=60, description="Teaching week of the term, from 1 (教学周).")
    day: int = Field(ge=1, le=7, description="Day of the week, Monday is 1.")
    period: int = Field(ge=1, le=20, description="Period of the day in the school's bell table, from 1 (节次).")

    def words(self, language: str) -> str:
        """As people say it; Chinese for `zh`, else English.

        >>> TimetableSlot(week=12, day=3, period=3).words("zh")
        '第 12 周 周三 第 3 节'
        >>> TimetableSlot(week=12, day=3, period=3).words("en")
        'Week 12, Wednesday, period 3'
        """
        if language == "zh":
            return f"第 {self.week} 周 周{_DAYS_ZH[self.day - 1]} 第 {self.period} 节"
        return f"Week {self.week}, {_DAYS_EN[self.day - 1]}, period {self.period}"
