"""Cells as people write them: full-width digits, numbers kept as text, dates as serials, `周一第3-4节`.

Each function takes what a cell holds (never nothing) and gives the value, or raises `CellWrong` with what was found
and what is expected.
"""

import datetime as dt
import math
import re
import unicodedata
from collections.abc import Mapping

from hub.schedule.imports.mistakes import CellWrong
from hub.schedule.register.words import Words, words
from hub.schedule.slots import Slot, Weeks

Cell = str | int | float | bool | dt.datetime | dt.date | dt.time | dt.timedelta | None

LONGEST_TEXT = 200
SHOWN = 40
"""Characters of a cell that a sentence quotes."""
EXCEL_DAY_0 = dt.date(1899, 12, 30)
SERIALS = range(20_000, 80_000)
"""Days since `EXCEL_DAY_0` that are taken as a date: 1954 to 2119."""
MOST_PERIODS = 20
FORMULA_ERRORS = frozenset({"#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NUM!", "#NULL!", "#SPILL!", "#CALC!"})

_DAYS: Mapping[str, int] = (
    {sign: number for number, sign in enumerate("一二三四五六日", start=1)}
    | {"天": 7, "七": 7}
    | {str(number): number for number in range(1, 8)}
    | {name: number for number, name in enumerate(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), start=1)}
)
_DAY = r"(?:周|星期|礼拜|week ?day ?|day ?)?(mon|tue|wed|thu|fri|sat|sun|[一二三四五六七日天1-7])[a-z]*"
_DAY_ALONE = re.compile(_DAY)
_SLOT = re.compile(rf"{_DAY}(?:第|[-.:]|\s)?\s*(\d{{1,2}})(?:\s*[-~–—至到]\s*(\d{{1,2}}))?节?")
_WEEKS: Mapping[str, Weeks] = {
    **dict.fromkeys(("ab", "每周", "全部", "单双周", "所有周", "every", "all", "every week", "全周"), "AB"),
    **dict.fromkeys(("a", "单", "单周", "奇数周", "odd", "odd weeks"), "A"),
    **dict.fromkeys(("b", "双", "双周", "偶数周", "even", "even weeks"), "B"),
}
_YES = frozenset({"是", "有", "对", "可", "可以", "y", "yes", "true", "1", "√", "✓", "✔"})
_NO = frozenset({"否", "无", "不", "不可", "不可以", "没有", "n", "no", "false", "0", "×", "✗"})
EQUIPMENT: Mapping[str, str] = {
    "主讲": "lead",
    "授课": "lead",
    "听课": "receiving",
    "接收": "receiving",
    "录播": "recording",
    "投影": "projector",
    "展台": "document-camera",
    "实物展台": "document-camera",
    "触控屏": "touch-screen",
    "一体机": "touch-screen",
    "计算机": "computers",
    "电脑": "computers",
    "实验": "lab",
}
"""What people call equipment; of several words for one tag the first is told."""
_TAG = re.compile(r"[a-z][a-z0-9-]{0,30}")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_BETWEEN = re.compile(r"[,，;；、/|\n]+")
_STAGES: Mapping[str, tuple[int, str]] = {"小": (0, "一二三四五六"), "初": (6, "一二三四"), "高": (9, "一二三")}
_NUMBERS: Mapping[str, int] = {sign: number for number, sign in enumerate("一二三四五六七八九十", start=1)} | {
    "十一": 11,
    "十二": 12,
}


def wrong(cell: Cell, expected: str, **values: "str | int | Words") -> CellWrong:
    """The refusal of a cell.

    Args:
        cell: what was found.
        expected: key of what is expected, under `expected.` in the catalogues.
        values: of that sentence.
    """
    return CellWrong(words("cell.wrong", found=quoted(cell), expected=words(f"expected.{expected}", **values)))


def quoted(cell: Cell) -> str:
    """A cell as a sentence quotes it."""
    text = " ".join(str(cell).split())
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def plain(text: str) -> str:
    """One width of signs, small letters, no space at the ends: how names and words are compared."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def empty(cell: Cell) -> bool:
    """Whether a cell holds nothing that can be seen."""
    return cell is None or (isinstance(cell, str) and not cell.strip("\u200b\ufeff \t\r\n\u3000\xa0"))


def text(cell: Cell) -> str:
    """A line of text; a whole number is its digits."""
    if isinstance(cell, dt.datetime | dt.date | dt.time | dt.timedelta | bool):
        raise wrong(cell, "text")
    if isinstance(cell, float):
        if not math.isfinite(cell):
            raise wrong(cell, "text")
        cell = int(cell) if cell.is_integer() else cell
    found = " ".join(str(cell).replace("\u200b", "").replace("\ufeff", "").split())
    if found in FORMULA_ERRORS:
        raise CellWrong(words("cell.formula_error", found=found))
    if len(found) > LONGEST_TEXT or any(unicodedata.category(sign) in {"Cc", "Cs", "Co"} for sign in found):
        raise wrong(cell, "text")
    return found


def label(cell: Cell) -> str:
    """A subject or an edition: text that others must equal, so in one width of signs."""
    return unicodedata.normalize("NFKC", text(cell))


def identifier(cell: Cell) -> str:
    """An id."""
    found = unicodedata.normalize("NFKC", text(cell))
    if not _ID.fullmatch(found):
        raise wrong(cell, "id")
    return found


def integer(cell: Cell, least: int, most: int) -> int:
    """A whole number, also as text, with a unit after it or a sign for thousands in it."""
    found: int | None = None
    if isinstance(cell, bool):
        found = None
    elif isinstance(cell, int):
        found = cell
    elif isinstance(cell, float) and cell.is_integer():
        found = int(cell)
    elif isinstance(cell, str):
        told = re.fullmatch(
            r"(?:第\s*)?([+-]?\d[\d,]{0,12})(?:\.0+)?\s*(?:人|名|间|节|分|路|周|单元|分钟)?", plain(text(cell))
        )
        found = int(told[1].replace(",", "")) if told else None
    if found is None or not least <= found <= most:
        raise wrong(cell, "integer", least=least, most=most)
    return found


def yes_no(cell: Cell) -> bool:
    """Yes or no."""
    if isinstance(cell, bool):
        return cell
    found = plain(text(cell))
    if found in _YES:
        return True
    if found in _NO:
        return False
    raise wrong(cell, "yes_no")


def grade(cell: Cell) -> int:
    """A grade, 1 to 12: `3`, `三年级`, `初一`, `高二`, `Grade 3`."""
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return integer(cell, 1, 12)
    found = grade_in(plain(text(cell)), whole=True)
    if found is None:
        raise wrong(cell, "grade")
    return found


def grade_in(name: str, *, whole: bool = False) -> int | None:
    """The grade that a class's name begins with; None where it names none.

    >>> grade_in("高三（12）班"), grade_in("七年级2班"), grade_in("Tigers")
    (12, 7, None)
    """
    found = unicodedata.normalize("NFKC", name).casefold().strip()
    end = r"$" if whole else ""
    if staged := re.match(rf"([小初高])([一二三四五六1-6])(?:年级)?{end}", found):
        before, signs = _STAGES[staged[1]]
        number = signs.find(staged[2]) + 1 or (int(staged[2]) if staged[2].isdigit() else 0)
        return before + number if 1 <= number <= len(signs) else None
    if counted := re.match(rf"(?:grade ?|g)?(\d{{1,2}}|十[一二]|[一二三四五六七八九十])(?:年级|级)?{end}", found):
        if not whole and not re.match(r"(?:grade ?|g)?\S{1,2}(?:年级|级)|grade", found):
            return None
        number = int(counted[1]) if counted[1].isdigit() else _NUMBERS[counted[1]]
        return number if 1 <= number <= 12 else None
    return None


def weeks(cell: Cell) -> Weeks:
    """Every week, odd weeks or even weeks."""
    found = _WEEKS.get(plain(text(cell)))
    if found is None:
        raise wrong(cell, "weeks")
    return found


def day(cell: Cell) -> int:
    """A day of the week."""
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return integer(cell, 1, 7)
    found = _DAY_ALONE.fullmatch(plain(text(cell)))
    if found is None:
        raise wrong(cell, "day")
    return _DAYS[found[1]]


def slots(cell: Cell) -> tuple[Slot, ...]:
    """Slots of a week: `周一3 周三1-2`, `周一第3节、周二第4节`, `Mon 3, Wed 1-2`, `1.3, 3.1`."""
    if isinstance(cell, dt.date | dt.time):
        raise CellWrong(words("cell.became_a_date", found=quoted(cell), expected=words("expected.slots")))
    found: list[Slot] = []
    written = plain(text(cell))
    rest = _SLOT.sub(" ", written)
    if rest.strip(" ,，;；、/|和与及") or not written:
        raise wrong(cell, "slots")
    for match in _SLOT.finditer(written):
        first, last = int(match[2]), int(match[3] or match[2])
        if not 1 <= first <= last <= MOST_PERIODS:
            raise wrong(cell, "slots")
        found += [(_DAYS[match[1]], period) for period in range(first, last + 1)]
    return tuple(dict.fromkeys(found))


def slot(cell: Cell) -> Slot:
    """One slot of a week."""
    found = slots(cell)
    if len(found) != 1:
        raise wrong(cell, "slot")
    return found[0]


def date(cell: Cell) -> dt.date:
    """A date: a date cell, Excel's serial, `2026-9-1`, `2026/9/1`, `2026年9月1日`, `20260901`."""
    if isinstance(cell, dt.datetime):
        return cell.date()
    if isinstance(cell, dt.date):
        return cell
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        if math.isfinite(cell) and int(cell) in SERIALS:
            return EXCEL_DAY_0 + dt.timedelta(days=int(cell))
        cell = text(cell)
    written = plain(text(cell))
    if re.fullmatch(r"\d{5}", written) and int(written) in SERIALS:
        return EXCEL_DAY_0 + dt.timedelta(days=int(written))
    found = re.fullmatch(r"(\d{4})(?:[-/.年]\s?(\d{1,2})[-/.月]\s?(\d{1,2})日?|(\d{2})(\d{2}))(?: 00:00:00)?", written)
    if found is None:
        raise wrong(cell, "date")
    try:
        return dt.date(int(found[1]), int(found[2] or found[4]), int(found[3] or found[5]))
    except ValueError:
        raise wrong(cell, "date") from None


def clock_time(cell: Cell) -> str:
    """A time of day as HH:MM: a time cell, Excel's fraction of a day, `8:00`, `08：00:00`, `8点30`."""
    if isinstance(cell, dt.datetime):
        cell = cell.time()
    if isinstance(cell, dt.time):
        return f"{cell:%H:%M}"
    minutes: int | None = None
    if isinstance(cell, dt.timedelta):
        minutes = round(cell.total_seconds() / 60)
    elif isinstance(cell, float) and 0 <= cell < 1:
        minutes = round(cell * 24 * 60)
    elif isinstance(cell, str) and (
        found := re.fullmatch(r"(\d{1,2}) ?[:.点时] ?(\d{2})?分?(?::\d{2})?", plain(text(cell)))
    ):
        minutes = int(found[1]) * 60 + int(found[2] or 0) if int(found[2] or 0) < 60 else None
    if minutes is None or not 0 <= minutes < 24 * 60:
        raise wrong(cell, "time")
    return f"{minutes // 60:02}:{minutes % 60:02}"


def equipment(cell: Cell) -> list[str]:
    """What a room has or a lesson needs, in the words of the plan."""
    found = []
    for each in several(cell):
        tag = EQUIPMENT.get(plain(each).removesuffix("教室").removesuffix("设备"), plain(each).replace(" ", "-"))
        if not _TAG.fullmatch(tag):
            raise wrong(each, "equipment", known="、".join(EQUIPMENT))
        found.append(tag)
    return sorted(set(found))


def several(cell: Cell) -> list[str]:
    """Several names in one cell."""
    if isinstance(cell, str):
        return [text(one) for one in _BETWEEN.split(cell) if not empty(one)]
    return [text(cell)]
