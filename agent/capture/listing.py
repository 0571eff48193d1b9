"""The sources of this machine, for `tongtang agent sources`; no device in use is disturbed."""

from collections.abc import Iterator
from dataclasses import dataclass

from agent.capture import camera, microphone, screen
from agent.capture.frame import SourceLost


@dataclass(frozen=True, slots=True)
class SourceLine:
    """One source, or one kind of source that this machine does not have."""

    source: str
    """What to paste."""
    name: str
    """Name for people."""
    gives: str
    """Picture, sound or slides."""
    usable: bool
    words: str = ""
    """Why it cannot be used, and what to do; empty where it can."""


def list_sources() -> list[SourceLine]:
    """Every source of this machine, and what is missing in words; opens no camera and no microphone."""
    lines = [SourceLine("rehearsal", "the built-in lesson", "picture, slides, sound", usable=True)]
    return [*lines, *_cameras(), *_screens(), *_microphones()]


def _cameras() -> Iterator[SourceLine]:
    names = camera.camera_names()
    for index, name in names:
        words = camera.missing_words(index)
        yield SourceLine(f"camera:{index}", name, "picture", usable=words is None, words=words or "")
    if not names:
        words = "no camera was found; plug one in" if camera.lists_cameras() else "not listed here; try camera:0"
        yield SourceLine("camera:0", "camera", "picture", usable=False, words=words)


def _screens() -> Iterator[SourceLine]:
    try:
        for one in screen.screens():
            name = f"screen, {one.width}x{one.height}"
            yield SourceLine(f"screen:{one.index}", name, "slides, picture", usable=True)
    except SourceLost as lost:
        yield SourceLine("screen:0", "screen", "slides, picture", usable=False, words=str(lost))


def _microphones() -> Iterator[SourceLine]:
    try:
        found = microphone.hearings(microphone.load())
        standard = microphone.chosen(found, "")
        yield SourceLine("mic:default", standard.name, "sound", usable=True)
        for one in found:
            yield SourceLine(f"mic:{one.index}", one.name, "sound", usable=True)
    except SourceLost as lost:
        yield SourceLine("mic:default", "microphone", "sound", usable=False, words=str(lost))
