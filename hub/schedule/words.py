"""What is said to people, in Chinese and in English."""

from collections.abc import Iterable

from hub.schedule.slots import Part, Slot, Weeks, Window

DAYS_ZH = ("周一", "周二", "周三", "周四", "周五", "周六", "周日")
DAYS_EN = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
WEEKS_ZH = {"AB": "", "A": "单周", "B": "双周"}
WEEKS_EN = {"AB": "", "A": " in odd weeks", "B": " in even weeks"}
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
