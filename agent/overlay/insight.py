"""How the lesson goes, as the teacher's screen is told while it runs: a few figures and the words for them."""

from collections.abc import Mapping

from pydantic import Field

from contract.model import Message
from measures.figure import Figure, Reason

WHY: Mapping[Reason, tuple[str, str]] = {
    Reason.EMPTY: ("刚刚开始", "the lesson has only begun"),
    Reason.COVERAGE: ("能确定的时间不足八成", "less than 80 % of the time is known"),
    Reason.NO_LEAD: ("主讲教室没有声音数据", "nothing is known of the lead room's sound"),
    Reason.NO_ROOM: ("本节课没有听课班级", "no class follows this lesson from another room"),
    Reason.CLOCK: ("教室之间的时钟未对准", "the rooms' clocks do not agree well enough"),
    Reason.CROSS_TALK: ("有教室的声音数据缺失，分不清是谁", "one room's sound is missing, so voices may be its own"),
    Reason.VOICES: ("分不清对方教室里是谁在说话", "who speaks in the far room cannot be told apart"),
    Reason.NO_SPEECH: ("还没有人发言", "nobody has spoken yet"),
    Reason.NONE_SEEN: ("还没有出现", "there was none yet"),
    Reason.TOO_FEW: ("次数太少", "there were too few"),
    Reason.INTERVAL: ("采样间隔不合适", "it is sampled at another interval"),
}
"""Why a figure is unknown, for a teacher."""


class InsightFigure(Message):
    """One figure, and the words for it."""

    value: float | None = Field(None, description="Seconds, or a share of 0 to 1; null where it is unknown.")
    coverage: float = Field(0.0, description="Share of the time that is known, 0 to 1.")
    reason: str = Field("", description="Why it is unknown (`measures.figure.Reason`); empty where it is known.")
    words_zh: str = ""
    words_en: str = ""


class InsightState(Message):
    """How the lesson went lately; made anew every 10 s."""

    t: float = Field(description="Session time at which it was said, in seconds.")
    start_t: float = Field(description="What is measured begins here, in session time: ten minutes before its end.")
    end_t: float = Field(description="And ends here; voices are known up to 30 s late.")
    talk_share: InsightFigure = Field(description="The lead teacher's share of all talk.")
    far_share: InsightFigure = Field(description="The far pupils' share of all pupils' talk.")
    longest_wait: InsightFigure = Field(
        description="Longest wait after the teacher's word until a pupil's, in seconds."
    )


def insight_state(
    moments: tuple[float, float, float], figures: Mapping[str, Figure], *, receiving: bool
) -> InsightState:
    """The figures in words.

    Args:
        moments: when it is said, and the stretch that is measured, in session time.
        figures: `talk_share`, `far_share` and `longest_wait`.
        receiving: whether this room is the far one.
    """
    far = ("本班学生发言占比", "This class's share of pupils' talk")
    if not receiving:
        far = ("对方班级学生发言占比", "The far class's share of pupils' talk")
    t, start_t, end_t = (round(one, 3) for one in moments)
    return InsightState(
        t=t,
        start_t=start_t,
        end_t=end_t,
        talk_share=_figure(figures["talk_share"], ("主讲教师发言占比", "The lead teacher's share of talk")),
        far_share=_figure(figures["far_share"], far),
        longest_wait=_figure(figures["longest_wait"], ("学生回答前最长等待", "Longest wait before an answer")),
    )


def _figure(figure: Figure, called: tuple[str, str]) -> InsightFigure:
    value = figure.value if isinstance(figure.value, float) else None
    if value is None:
        why = WHY.get(figure.reason) if figure.reason is not None else None
        zh, en = why or ("原因不明", "nobody knows why")
        said = f"{called[0]}暂不清楚：{zh}", f"{called[1]} is not known: {en}"
    else:
        shown = f"{value * 100:.0f} %" if figure.unit == "share" else f"{value:.1f}"
        units = ("", "") if figure.unit == "share" else (" 秒", " s")
        said = f"{called[0]} {shown}{units[0]}", f"{called[1]}: {shown}{units[1]}"
    return InsightFigure(
        value=None if value is None else round(value, 4),
        coverage=round(figure.coverage, 4),
        reason=figure.reason.value if figure.reason is not None else "",
        words_zh=said[0],
        words_en=said[1],
    )
