"""`timeline.jsonl`, read back after anything and told in a few figures; the recorder writes it."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from agent.observe.live import voice_of
from contract.observation import Observation
from contract.result import PeopleCount, TimelineSummary
from measures.cadence import Cadence
from measures.lesson import measure_lesson
from measures.people import INTERVAL_S, Sample, typical_count
from measures.slides import SlideShown, slide_count
from measures.speech import Turn, talk_time
from measures.voices import Role, RoomVoices, Span


@dataclass(frozen=True, slots=True)
class Timeline:
    """What a timeline file holds."""

    observations: tuple[Observation, ...]
    torn: bool = False
    """Whether the last line was cut off by a crash; it is left out."""
    unreadable: int = 0
    """Other lines that are not observations; they are left out."""


def read_timeline(path: Path) -> Timeline:
    """Read a timeline, also one that a crash ended or that does not exist (which is empty).

    Raises:
        OSError: it is there and cannot be read.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return Timeline(())
    lines = content.split(b"\n")
    torn = bool(lines.pop())
    found: list[Observation] = []
    unreadable = 0
    for line in lines:
        try:
            found.append(Observation.model_validate_json(line))
        except ValidationError:
            unreadable += 1
    return Timeline(tuple(found), torn, unreadable)


def summary(lines: Iterable[Observation], seconds: float | None = None) -> TimelineSummary:
    """A room's timeline in a few figures.

    Args:
        lines: observations in any order.
        seconds: length of the session, in seconds; only [0, seconds) counts. Without it everything from 0 on.
    """
    end = float("inf") if seconds is None else seconds
    kept = [line for line in lines if line.t < end and line.t + line.seconds >= 0]
    turns = [
        Turn(max(0.0, line.t), min(end, line.t + line.seconds) - max(0.0, line.t))
        for line in kept
        if line.kind == "speech"
    ]
    shown = [SlideShown(line.t, int(line.value.get("index", 0))) for line in kept if line.kind == "slide"]
    return TimelineSummary(
        observations=len(kept),
        speech_seconds=round(talk_time(turns), 3) if _heard(kept) else None,
        talk_share=_talk_share(kept, seconds),
        people=_people(kept, seconds),
        slides=slide_count(shown),
    )


def _heard(lines: list[Observation]) -> bool:
    """Whether speech was listened for at any time: without its model, no turns do not mean silence."""
    return any(line.kind == "speech" or (line.kind == "cadence" and line.value.get("speech_s")) for line in lines)


def _talk_share(lines: list[Observation], seconds: float | None) -> float | None:
    """The teacher's share of all talk in this room's sound; None where too little of it is known."""
    told = [(line, voice_of(line)) for line in lines]
    spans = [Span(line.t, line.seconds, voice, line.confidence) for line, voice in told if voice is not None]
    if not spans:
        return None
    end = seconds if seconds is not None else max(one.end_s for one in spans)
    # The room alone: whoever speaks most in its sound counts as its teacher, whatever its role.
    share = measure_lesson([RoomVoices("this", Role.LEAD, spans)], 0.0, end).live.talk_share.value
    return round(share, 4) if isinstance(share, float) else None


def _people(lines: list[Observation], seconds: float | None) -> PeopleCount:
    samples = [Sample(line.t, line.value.get("count")) for line in lines if line.kind == "people"]
    if not samples:
        return PeopleCount()
    told = [(line.t, line.value.get("people_s")) for line in lines if line.kind == "cadence"]
    cadence = Cadence.told([(t, float(every)) for t, every in told if every], INTERVAL_S)
    start = 0.0 if seconds is not None else min(one.t_s for one in samples)
    last = max(one.t_s for one in samples)
    end = seconds if seconds is not None else last + cadence.interval_s(last, last)
    count = typical_count(samples, start, end, cadence)
    return PeopleCount(median=count.median, known=count.known)
