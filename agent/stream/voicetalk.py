"""Rooms tell each other who speaks, so that each can say how the whole lesson goes while it runs.

Each room numbers its own spans of voice and tells them until they are acknowledged, because the lines
between rooms may be lost and come in any order. What was told twice is known by its number; a room that
was started anew says how far it knows, and is told again. Times are of the teller's monotonic clock: the
hearer knows that clock better than either knows the hub's. A line names no room: it is of whoever is at the
other end of the connection.
"""

import json
import re
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol, TypeGuard

from measures.voices import Voice

VOICES: Final = "voices"
VOICED: Final = "voiced"
PREFIX: Final = '{"voice'
"""How every line of ours begins."""
TICK_S: Final = 0.5
"""How often a room is told what is due: one line of spans at most, 1 kB a second."""
SPANS_A_LINE: Final = 12
"""As many as fit a line of `LINE_MAX` characters whatever the numbers."""
WINDOW: Final = 4 * SPANS_A_LINE
"""Spans that may be under way to one room."""
AGAIN_S: Final = 2.0
"""Without progress all from the last acknowledged one is told again after this; the wait doubles, to"""
AGAIN_MAX_S: Final = 10.0
KEPT_S: Final = 700.0
"""Spans that ended longer ago than this, in seconds, are of no use to live figures and are not told any more."""
KEPT: Final = 4_000
LINES_S: Final = 5.0
"""Lines of one room that are taken in a second, in the long run;"""
LINES_BURST: Final = 40.0
"""and at once. More are dropped, and come again."""
LARGEST: Final = 2**53
LONGEST_MS: Final = 60_000
CODES: Final = {"T": Voice.TEACHER, "S": Voice.STUDENT, "M": Voice.SEVERAL, "-": Voice.SILENCE}
"""As FIAS-lite calls them: teacher, student, multiple, silence."""
_LETTERS: Final = {voice: code for code, voice in CODES.items()}
_STREAM: Final = re.compile(r"[0-9a-f]{8}")


@dataclass(frozen=True, slots=True)
class MonoSpan:
    """A voice from here to there, on one device's monotonic clock."""

    start_ns: int
    seconds: float
    voice: Voice
    confidence: float | None = None


@dataclass
class _Telling:
    """How far one room is told what we have."""

    sent: int = 0
    acknowledged: int = 0
    moved_s: float = 0.0
    """When something went, or was acknowledged."""
    wait_s: float = AGAIN_S


@dataclass
class _Hearing:
    """How far one room's stream is heard."""

    stream: str = ""
    upto: int = 0
    due: bool = False
    """Whether it is to be told how far."""
    lines: float = LINES_BURST
    """Lines that may be taken now."""
    lines_s: float = 0.0


@dataclass
class _Room:
    telling: _Telling = field(default_factory=_Telling)
    hearing: _Hearing = field(default_factory=_Hearing)


class OtherClock(Protocol):
    """The clock of a room at the other end; agent.stream.roomclock.RoomClock is one."""

    def here_ns(self, there_ns: int) -> int | None:
        """The moment on this device's clock, in ns, of one on the other's; None while that is not known."""

    @property
    def error_ns(self) -> int | None:
        """Bound of the error of that, in ns; None while it is not known."""


OnTold = Callable[[str, Sequence[MonoSpan], float], None]
"""Takes what a room told, on this device's clock, and the bound of the error of its times, in seconds."""


class VoiceTalk:
    """Tells this room's voices to the others of its session and takes theirs. Belongs to one event loop."""

    def __init__(
        self,
        rooms: Iterable[str],
        stream: str,
        on_told: OnTold,
    ) -> None:
        """Begin with nothing to tell.

        Args:
            rooms: the other rooms; nothing is told to, or taken from, any else.
            stream: minted for this lesson by this run of the agent: 8 hexadecimal digits.
            on_told: takes what a room told, each span once.
        """
        self._rooms = {room: _Room() for room in rooms}
        self._stream = stream
        self._on_told = on_told
        self._spans: deque[MonoSpan] = deque()
        self._first = 0
        """Number of the oldest span that is kept."""

    def add(self, span: MonoSpan, now_ns: int) -> None:
        """Tell one more span of this room, in order of time."""
        self._spans.append(span)
        oldest_ns = now_ns - round(KEPT_S * 1e9)
        while self._spans and (len(self._spans) > KEPT or self._spans[0].start_ns < oldest_ns):
            self._spans.popleft()
            self._first += 1

    def tell(self, room: str, now_s: float, say: Callable[[str], bool]) -> None:
        """Say what is due to a room.

        Args:
            room: who is at the other end.
            now_s: monotonic seconds.
            say: sends a line; False where it cannot leave now.
        """
        known = self._rooms.get(room)
        if known is None:
            return
        hearing, telling = known.hearing, known.telling
        if hearing.due and say(_line({VOICED: hearing.stream, "upto": hearing.upto})):
            hearing.due = False
        telling.acknowledged = max(telling.acknowledged, self._first)
        telling.sent = max(telling.sent, telling.acknowledged)
        if telling.sent > telling.acknowledged and now_s - telling.moved_s >= telling.wait_s:
            telling.sent = telling.acknowledged
            telling.wait_s = min(AGAIN_MAX_S, 2 * telling.wait_s)
        upto = min(self._first + len(self._spans), telling.sent + SPANS_A_LINE)
        if upto > telling.sent and upto - telling.acknowledged <= WINDOW and say(self._told(telling.sent, upto)):
            telling.sent, telling.moved_s = upto, now_s

    def take(self, room: str, line: str, clock: OtherClock, now_s: float) -> None:
        """Take a line that begins with `PREFIX`; what cannot be read is dropped.

        Args:
            room: who is at the other end.
            line: what came.
            clock: of that room.
            now_s: monotonic seconds.
        """
        known = self._rooms.get(room)
        if known is None or not _within_rate(known.hearing, now_s):
            return
        try:
            message = json.loads(line)
        except (ValueError, RecursionError):
            return
        if not isinstance(message, dict):
            return
        if VOICES in message:
            self._hear(room, known.hearing, message, clock)
        elif message.get(VOICED) == self._stream:
            self._acknowledged(known.telling, message.get("upto"), now_s)

    def _told(self, first: int, upto: int) -> str:
        spans = [self._spans[at - self._first] for at in range(first, upto)]
        shown = [
            [
                round(one.start_ns / 1e6),
                round(one.seconds * 1000),
                _LETTERS[one.voice],
                None if one.confidence is None else round(one.confidence * 100),
            ]
            for one in spans
        ]
        return _line({VOICES: self._stream, "kept": self._first, "from": first, "spans": shown})

    def _acknowledged(self, telling: _Telling, upto: object, now_s: float) -> None:
        """The room knows all before `upto`; less than before, where it was started anew."""
        if not _whole(upto, self._first + len(self._spans)):
            return
        if upto != telling.acknowledged:
            telling.moved_s, telling.wait_s = now_s, AGAIN_S
        if upto < telling.acknowledged:
            telling.sent = upto
        telling.acknowledged = upto

    def _hear(self, room: str, hearing: _Hearing, message: dict[str, Any], clock: OtherClock) -> None:
        stream, kept, first = message[VOICES], message.get("kept"), message.get("from")
        told = _read(message.get("spans"))
        named = isinstance(stream, str) and _STREAM.fullmatch(stream)
        if not (named and _whole(kept, LARGEST) and _whole(first, LARGEST) and kept <= first and told is not None):
            return
        if stream != hearing.stream:
            hearing.stream, hearing.upto = str(stream), 0
        hearing.upto = max(hearing.upto, kept)
        hearing.due = True
        if not first <= hearing.upto < first + len(told):
            return  # known already, or a line before it is still missing
        new = told[hearing.upto - first :]
        error_ns = clock.error_ns
        moments = [moment for one in new if (moment := clock.here_ns(one.start_ns)) is not None]
        if error_ns is None or len(moments) < len(new):
            hearing.due = False  # the clock is not known yet: it is told again
            return
        hearing.upto = first + len(told)
        moved = [replace(one, start_ns=moment) for one, moment in zip(new, moments, strict=True)]
        self._on_told(room, moved, error_ns / 1e9)


def _within_rate(hearing: _Hearing, now_s: float) -> bool:
    hearing.lines = min(LINES_BURST, hearing.lines + max(0.0, now_s - hearing.lines_s) * LINES_S)
    hearing.lines_s = now_s
    if hearing.lines < 1:
        return False
    hearing.lines -= 1
    return True


def _read(spans: object) -> list[MonoSpan] | None:
    """Spans of a line; None where anything in them is not what it should be."""
    if not isinstance(spans, list) or not 0 < len(spans) <= SPANS_A_LINE:
        return None
    out: list[MonoSpan] = []
    for one in spans:
        if not (isinstance(one, list) and len(one) == len(("start", "length", "voice", "confidence"))):
            return None
        start_ms, length_ms, code, percent = one
        sure = percent is None or _whole(percent, 100)
        known = isinstance(code, str) and code in CODES
        if not (_whole(start_ms, LARGEST) and _whole(length_ms, LONGEST_MS) and known and sure):
            return None
        out.append(
            MonoSpan(start_ms * 1_000_000, length_ms / 1000, CODES[code], None if percent is None else percent / 100)
        )
    return out


def _whole(number: Any, most: int) -> TypeGuard[int]:
    return isinstance(number, int) and not isinstance(number, bool) and 0 <= number <= most


def _line(message: dict[str, Any]) -> str:
    return json.dumps(message, separators=(",", ":"))
