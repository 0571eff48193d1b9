"""A lesson's packages as rooms would leave them: voices, slides, people, seats and board of two to five rooms.

Plausible, not real: a lead teacher who explains, asks her own class and the far ones, sets work and comes back.
Told apart already, as rooms do that know what their loudspeaker plays. With what goes wrong in a lesson: a room whose
agent was away for a while, one whose clock was set, one that was not listened to, torn lines.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from contract.clock import ClockRecord, Segment
from contract.observation import Observation
from contract.package import Gap, Manifest
from contract.session import Policy, Role, RoomOrder, SessionOrder

EPOCH = 1_790_000_000.0
ALL_ON = Policy(record=True, observe=True, upload=True)
SCHOOLS = (
    ("城关小学五（3）班", "城关镇中心小学"),
    ("石桥教学点", "石桥镇小学"),
    ("新河教学点", "新河镇小学"),
    ("柳林教学点", "柳林乡小学"),
    ("高坪教学点", "高坪乡小学"),
)
TITLES = (
    "分数的意义",
    "把一个整体平均分",
    "单位“1”",
    "例 1",
    "分数单位",
    "分数单位（二）",
    "练习",
    "分数与除法",
    "例 2",
    "真分数和假分数",
    "随堂练习",
    "小结与作业",
)


@dataclass
class Lesson:
    """An order, and what each room left: its manifest and its timeline."""

    order: SessionOrder
    packages: list[tuple[Manifest, list[Observation]]] = field(default_factory=list)

    def bytes_of(self, room: str) -> bytes:
        lines = next(lines for manifest, lines in self.packages if manifest.room == room)
        return timeline(lines)


def timeline(lines: Sequence[Observation]) -> bytes:
    return b"".join(one.model_dump_json().encode() + b"\n" for one in lines)


def order_of(rooms: int, seconds: float, *, session: str = "s-fractions-1") -> SessionOrder:
    return SessionOrder(
        session=session,
        rev=1,
        epoch=EPOCH,
        seconds=seconds,
        title="五年级数学 · 分数的意义",
        policy=ALL_ON,
        rooms=tuple(
            RoomOrder(
                room=f"room-{at}",
                device=f"device-{at}",
                role=Role.RECEIVING if at else Role.LEAD,
                name=SCHOOLS[at][0],
                school=SCHOOLS[at][1],
            )
            for at in range(rooms)
        ),
    )


def lesson(rooms: int = 2, seconds: float = 2400.0, seed: int = 7, order: SessionOrder | None = None) -> Lesson:
    """A lesson in which all is well."""
    order = order or order_of(rooms, seconds)
    random = np.random.default_rng(seed)
    voices = _spoken(random, len(order.rooms), seconds)
    made = Lesson(order)
    for at, room in enumerate(order.rooms):
        lines = [told("cadence", 0.0, value={"speech_s": 0.032, "people_s": 1.0, "slides_s": 0.5})]
        lines += _voice_lines(random, voices[at], seconds)
        lines += _people(random, seconds, 38 - 5 * at)
        lines += _seats(random, seconds)
        lines += _board(random, seconds, 0.85 if at == 0 else 0.4)
        if at == 0:
            lines += _slides(random, seconds)
            lines.append(told("mark", seconds * 0.62, value={"title": "小组讨论"}))
        made.packages.append((_manifest(order, room), sorted(lines, key=lambda one: one.t)))
    return made


def troubled(rooms: int = 4, seconds: float = 2400.0, seed: int = 7, order: SessionOrder | None = None) -> Lesson:
    """The same with an agent that was away, a clock that was set, and a last room that was not listened to."""
    made = lesson(rooms, seconds, seed, order)
    made.packages[1] = _away(*made.packages[1], 0.31 * seconds, 0.39 * seconds)
    if rooms > 2:
        made.packages[2] = _stepped(*made.packages[2], 0.5 * seconds, 4.0)
        manifest, lines = made.packages[-1]
        made.packages[-1] = manifest, [one for one in lines if one.kind not in {"voice", "board"}]
    return made


def told(kind: str, t: float, seconds: float = 0.0, confidence: float | None = None, **more: object) -> Observation:
    return Observation(
        kind=kind, t=round(t, 3), mono_ns=round(t * 1e9), boot="b1", seconds=seconds, confidence=confidence, **more
    )


def _manifest(order: SessionOrder, room: RoomOrder) -> Manifest:
    return Manifest(
        session=order.session,
        room=room.room,
        role=room.role,
        device=room.device,
        name=room.name,
        title=order.title,
        epoch=order.epoch,
        seconds=order.seconds,
        policy=order.policy,
        sealed=True,
        clock=ClockRecord(
            boot="b1", segments=(Segment(mono_ns=0, there_ns=round(order.epoch * 1e9), error_ns=900_000),)
        ),
    )


def _spoken(random: np.random.Generator, rooms: int, seconds: float) -> list[list[tuple[float, float, str]]]:
    """Who speaks when in each room: start, length, voice; the rest is silence."""
    out: list[list[tuple[float, float, str]]] = [[] for _ in range(rooms)]
    t = 4.0
    shares = [0.6, *[0.4 / (rooms - 1)] * (rooms - 1)] if rooms > 1 else [1.0]

    def say(room: int, voice: str, length: float, pause: float) -> None:
        nonlocal t
        length = round(min(length, max(0.0, seconds - 2 - t)), 3)
        if length > 0.5:
            out[room].append((round(t, 3), length, voice))
        t = round(t + length + pause, 3)

    while t < seconds - 5:
        kind = random.choice(["explain", "ask", "ask", "ask", "work"], p=[0.3, 0.2, 0.2, 0.24, 0.06])
        if kind == "explain":
            for _ in range(random.integers(2, 6)):
                say(0, "teacher", random.gamma(4, 5), random.uniform(1.1, 2.6))
        elif kind == "ask":
            room = int(random.choice(rooms, p=shares))
            say(0, "teacher", random.gamma(3, 2.5), random.choice([0.0, random.exponential(2.2)]))
            if random.random() < 0.15:
                say(room, "several", random.uniform(1.0, 3.0), 0.4)
            else:
                say(room, "student", random.gamma(2.5, 1.8), random.choice([0.0, random.exponential(1.2)]))
            if room and random.random() < 0.4:
                say(room, "teacher", random.gamma(2, 2), 0.8)
        else:
            length = min(random.uniform(60, 150), max(0.0, seconds - 2 - t))
            for one in range(rooms):
                at = t + random.uniform(2, 8)
                while at < t + length - 10:
                    hum = random.uniform(2, 9)
                    out[one].append((round(at, 3), round(hum, 3), "several"))
                    at += hum + random.uniform(1, 5)
            t += length
    return out


def _voice_lines(
    random: np.random.Generator, spoken: list[tuple[float, float, str]], seconds: float
) -> list[Observation]:
    lines = []
    at = 0.0
    for start, length, voice in [*sorted(spoken), (seconds, 0.0, "")]:
        while start - at > 0.001:
            quiet = min(start - at, 20.0)  # told in pieces, as rooms do
            lines.append(told("voice", at, round(quiet, 3), 0.97, value={"voice": "silence"}))
            at = round(at + quiet, 3)
        if length:
            sure = round(float(random.uniform(0.7, 0.99)), 3)
            lines.append(told("voice", start, length, sure, value={"voice": voice}))
        at = max(at, round(start + length, 3))
    return lines


def _people(random: np.random.Generator, seconds: float, present: int) -> list[Observation]:
    seen = np.clip(present + np.round(random.normal(-1, 1.6, int(seconds))), 0, None).astype(int)
    dark = random.random(int(seconds)) < 0.01
    return [
        told("people", float(t), value={"count": None if dark[t] else int(seen[t]), "faces": None})
        for t in range(int(seconds))
    ]


def _seats(random: np.random.Generator, seconds: float) -> list[Observation]:
    usual = np.clip(random.normal(0.75, 0.35, (5, 8)), 0, 1)
    usual[:, 3] = 0.02  # the aisle
    lines = []
    for start in np.arange(0.0, seconds, 60.0):
        share = np.clip(usual + random.normal(0, 0.06, usual.shape), 0, 1).round(2)
        length = min(60.0, seconds - start)
        value = {"columns": 8, "rows": 5, "pictures": int(length), "unknown": 0, "share": share.tolist()}
        lines.append(told("seats", float(start), length, 1.0, value=value))
    return lines


def _board(random: np.random.Generator, seconds: float, often: float) -> list[Observation]:
    lines = []
    position: float | None = 0.5
    for t in np.arange(0.0, seconds, 4.0):
        if random.random() < 0.08:
            position = None if random.random() > often else float(random.uniform(0.1, 0.9))
        elif position is not None:
            position = float(np.clip(position + random.normal(0, 0.04), 0, 1))
        where = None if position is None else round(position, 3)
        lines.append(told("board", float(t), value={"position": where, "people": int(position is not None)}))
    return lines


def _slides(random: np.random.Generator, seconds: float) -> list[Observation]:
    times = np.cumsum(random.uniform(0.6, 1.4, len(TITLES))) * seconds / len(TITLES) * 0.95
    return [
        told("slide", float(t), value={"index": at + 1, "title": title, "text": title, "title_confidence": 0.9})
        for at, (t, title) in enumerate(zip([1.0, *times[:-1]], TITLES, strict=True))
    ]


def _away(manifest: Manifest, lines: list[Observation], start: float, end: float) -> tuple[Manifest, list[Observation]]:
    gap = Gap(track="camera", start_t=start, end_t=end, why="the agent was started anew")
    kept = [one for one in lines if not start <= one.t < end]
    cut = [
        one.model_copy(update={"seconds": start - one.t}) if one.t < start < one.t + one.seconds else one
        for one in kept
    ]
    return manifest.model_copy(update={"gaps": (gap,)}), cut


def _stepped(
    manifest: Manifest, lines: list[Observation], at: float, step: float
) -> tuple[Manifest, list[Observation]]:
    """From `at` on the room's clock says `step` seconds less: what follows is told anew over what was."""
    first = manifest.clock.segments[0]
    later = replace_segment(first, round(at * 1e9), -round(step * 1e9))
    clock = manifest.clock.model_copy(update={"segments": (first, later)})
    moved = [one.model_copy(update={"t": one.t - step}) if one.t >= at else one for one in lines]
    return manifest.model_copy(update={"clock": clock}), moved


def replace_segment(first: Segment, mono_ns: int, step_ns: int) -> Segment:
    return first.model_copy(update={"mono_ns": mono_ns, "there_ns": first.at(mono_ns) + step_ns})
