"""The rungs of the failure ladder: what each means, which moves are allowed, and what people are told.

From the top: both ways, far video one way, sound and slides, the local teacher alone.
When the link is bad the far class's picture goes first, the lead room's camera second;
slides and sound stay longest.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from contract.session import Role


class Rung(StrEnum):
    """What still goes between two rooms. Members stand from the top of the ladder down."""

    BOTH = "both"
    """双向互动: both cameras, both microphones and the slides."""
    ONE_WAY = "one-way"
    """单向画面: the lead room's camera, both microphones and the slides; the far class is heard, not seen."""
    SOUND = "sound"
    """声音和课件: both microphones and the slides; no camera."""
    ALONE = "alone"
    """本地教学: nothing usable comes; the local teacher goes on with the materials."""

    @property
    def depth(self) -> int:
        """How far down: 0 is the top."""
        return DEPTH[self]

    @property
    def zh(self) -> str:
        """Its Chinese name."""
        return NAMES[self].zh

    @property
    def en(self) -> str:
        """Its English name."""
        return NAMES[self].en


LADDER: tuple[Rung, ...] = tuple(Rung)
DEPTH: Mapping[Rung, int] = {rung: depth for depth, rung in enumerate(LADDER)}

MOVES: Mapping[Rung, frozenset[Rung]] = {
    Rung.BOTH: frozenset({Rung.ONE_WAY, Rung.SOUND, Rung.ALONE}),
    Rung.ONE_WAY: frozenset({Rung.BOTH, Rung.SOUND, Rung.ALONE}),
    Rung.SOUND: frozenset({Rung.ONE_WAY, Rung.ALONE}),
    Rung.ALONE: frozenset({Rung.SOUND}),
}
"""Down by any number of rungs, up by one at a time."""


class RungRefused(Exception):
    """A ladder was asked to climb more than one rung at once."""

    def __init__(self, rung: Rung, to: Rung) -> None:
        allowed = ", ".join(sorted(MOVES[rung]))
        super().__init__(f"from rung {rung} one cannot go to {to} at once; allowed from here: {allowed}")


def moved(rung: Rung, to: Rung) -> Rung:
    """Return `to`, or raise `RungRefused`; staying is always allowed."""
    if to is rung or to in MOVES[rung]:
        return to
    raise RungRefused(rung, to)


def below(rung: Rung) -> Rung:
    """The next rung down; the last one for the last."""
    return LADDER[min(rung.depth + 1, len(LADDER) - 1)]


def above(rung: Rung) -> Rung:
    """The next rung up; the first one for the first."""
    return LADDER[max(rung.depth - 1, 0)]


def deeper(one: Rung, other: Rung) -> Rung:
    """The worse of two rungs."""
    return max(one, other, key=DEPTH.__getitem__)


def sends_camera(role: Role, rung: Rung) -> bool:
    """Whether a room in this role sends its camera on this rung."""
    return rung is Rung.BOTH or (rung is Rung.ONE_WAY and role is Role.LEAD)


class Words(NamedTuple):
    """The same sentence in both languages."""

    zh: str
    en: str


class Why(StrEnum):
    """Why a ladder stands where it stands."""

    FINE = "fine"
    """Nothing is wrong."""
    JOINING = "joining"
    """The other room has not been heard yet."""
    SILENT = "silent"
    """Nothing comes from the other room any more."""
    STARVED = "starved"
    """The link carries fewer bits than what should be sent needs."""
    LOSSY = "lossy"
    """Too much of the other room's sound is lost."""
    FROZEN = "frozen"
    """The other room's picture stands still though it is sent."""
    SLOW = "slow"
    """The round trip is too long to talk to each other."""
    ASKED = "asked"
    """The other room has trouble with the link and asked for less."""
    CLIMBING = "climbing"
    """The link is better; the ladder climbs back step by step."""


NAMES: Mapping[Rung, Words] = {
    Rung.BOTH: Words("双向互动", "both ways"),
    Rung.ONE_WAY: Words("单向画面", "far video one way"),
    Rung.SOUND: Words("声音和课件", "sound and slides"),
    Rung.ALONE: Words("本地教学", "local teacher alone"),
}

TOLD: Mapping[tuple[Role, Rung], Words] = {
    (Role.LEAD, Rung.BOTH): Words("双向互动正常", "Picture and sound go both ways"),
    (Role.LEAD, Rung.ONE_WAY): Words(
        "网络较差：暂时看不到对方教室，声音照常；对方仍能看到您和课件",
        "Poor network: the far class cannot be seen for now, but heard; it still sees you and the slides",
    ),
    (Role.LEAD, Rung.SOUND): Words(
        "网络很差：只传声音和课件，对方看不到您，请多用语言和课件讲解",
        "Very poor network: only sound and slides go; the far class does not see you, so teach by voice and slides",
    ),
    (Role.LEAD, Rung.ALONE): Words(
        "对方教室已断开：请继续上课，本地照常录制；网络恢复后会自动接上",
        "The far room is cut off: please go on teaching, this room still records; "
        "the rooms join again by themselves when the network is back",
    ),
    (Role.RECEIVING, Rung.BOTH): Words("双向互动正常", "Picture and sound go both ways"),
    (Role.RECEIVING, Rung.ONE_WAY): Words(
        "网络较差：只传主讲教室的画面，主讲暂时看不到本班，仍能听到",
        "Poor network: only the lead room's picture goes; the lead teacher cannot see this class for now, but hears it",
    ),
    (Role.RECEIVING, Rung.SOUND): Words(
        "网络很差：只有主讲教室的声音和课件，请带领学生看课件听讲",
        "Very poor network: only the lead room's sound and slides come; please lead the class through the slides",
    ),
    (Role.RECEIVING, Rung.ALONE): Words(
        "与主讲教室断开：请现场老师用本课材料继续上课；网络恢复后会自动接上",
        "The lead room is cut off: please go on teaching here with the lesson's materials; "
        "the rooms join again by themselves when the network is back",
    ),
}
"""What the teacher in a room of this role reads."""

CONNECTING: Mapping[Role, Words] = {
    Role.LEAD: Words("正在连接对方教室，请先开始上课", "Connecting to the far room; please begin the lesson"),
    Role.RECEIVING: Words(
        "正在连接主讲教室，请现场老师先用本课材料上课",
        "Connecting to the lead room; please begin here with the lesson's materials",
    ),
}
"""On the last rung, before the other room was heard at all."""

RETURNING = Words("网络正在恢复", "the network is coming back")
UNHEARD = Words("对方听不到本教室", "the other room does not hear this one")


def words_for(role: Role, rung: Rung, why: Why, *, unheard: bool = False) -> Words:
    """What the teacher is told of one other room.

    Args:
        role: of this room.
        rung: on which the two stand.
        why: the reason.
        unheard: the other room says that nothing comes from here.
    """
    told = CONNECTING[role] if rung is Rung.ALONE and why is Why.JOINING else TOLD[role, rung]
    for applies, more in ((unheard, UNHEARD), (why is Why.CLIMBING and rung is not Rung.BOTH, RETURNING)):
        if applies:
            told = Words(f"{told.zh}；{more.zh}", f"{told.en}; {more.en}")
    return told
