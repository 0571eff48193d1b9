"""A mark that a teacher sets: a line of the screen, and what is answered to it."""

import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, ValidationError

from contract.model import Message
from contract.telemetry import PRINTABLE

TITLE_MAX = 80

Title = Annotated[str, StringConstraints(strip_whitespace=True, max_length=TITLE_MAX, pattern=PRINTABLE)]


class MarkAnswer(StrEnum):
    """What became of a mark."""

    TAKEN = "taken"
    """It stands in the lesson's timeline."""
    NO_LESSON = "no-lesson"
    """No lesson runs in this room."""
    NOT_OBSERVED = "not-observed"
    """The lesson's policy keeps no timeline."""
    NOT_YET = "not-yet"
    """The disk has not taken the lesson package yet."""
    SOON = "too-soon"
    """Another mark was set a moment ago: two clicks are one mark."""
    FULL = "too-many"
    """The lesson has as many marks as it may."""
    BAD = "bad"
    """The line is not one that is understood."""


WORDS: Mapping[MarkAnswer, tuple[str, str]] = {
    MarkAnswer.TAKEN: ("已标记", "marked"),
    MarkAnswer.NO_LESSON: ("本教室现在没有课，未标记", "no lesson runs in this room; nothing was marked"),
    MarkAnswer.NOT_OBSERVED: (
        "本节课按规定不做分析，未标记",
        "this lesson is not observed, so nothing is marked in it",
    ),
    MarkAnswer.NOT_YET: ("课例包还不能写入，请稍后再试", "the disk takes no lesson package yet; try again in a moment"),
    MarkAnswer.SOON: ("刚刚已标记过", "a mark was set a moment ago"),
    MarkAnswer.FULL: ("本节课的标记已达上限", "this lesson has as many marks as it may"),
    MarkAnswer.BAD: (
        f"看不懂：应为一行 JSON，mark 为不超过 {TITLE_MAX} 字、可显示的标题",
        f'not understood; send {{"mark": TITLE}}, the title being at most {TITLE_MAX} printable characters',
    ),
}


class MarkLine(Message):
    """What a screen sends to set a mark."""

    mark: Title = Field(description="Title of what begins here; may be empty.")


class AnswerLine(Message):
    """What a screen that sent a line is told; lines of state have no `answer`."""

    v: Literal[1] = 1
    answer: MarkAnswer
    words_zh: str
    words_en: str

    @classmethod
    def of(cls, answer: MarkAnswer) -> "AnswerLine":
        """An answer and its words."""
        zh, en = WORDS[answer]
        return cls(answer=answer, words_zh=zh, words_en=en)


def read_mark(line: bytes) -> str | None:
    """The title in a line of a screen; None where it is no mark."""
    try:
        return MarkLine.model_validate(json.loads(line)).mark
    except (ValidationError, ValueError, RecursionError):
        return None
