"""What a source string says: `camera:0+mic:default`, `file:lesson.mp4`, `rehearsal` ...

Grammar: parts joined with `+`, at most one of them for each medium:

    rehearsal                     picture and sound (and the slides of a lead room)
    camera:N                      picture
    screen:N                      the slides; the picture where no other part gives one
    mic:NAME_OR_INDEX             sound; `mic:` and `mic:default` are the default microphone
    file:PATH                     picture and sound of a file, whichever of them it holds
    rtsp://... or rtsps://...     picture and sound of a network camera

Sound follows its picture unless a later part names it.

A PATH may hold a `+`. Only a `+` that is followed by a known scheme can end a path, and where several
readings remain, the longest one that is an existing file is taken: with a file `a+mic:1.wav` on the
disk, `file:a+mic:1.wav` is that file; without it, it is the file `a` and the microphone 1. The same
holds for addresses, without the look at the disk.
"""

import difflib
import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

EXAMPLES = "rehearsal, camera:0+mic:default, screen:0, file:lesson.mp4, rtsp://10.0.0.8/stream1"


class SourceRefused(Exception):
    """A source that cannot be used; the message says what is wrong, the nearest right form and an example."""


class Scheme(StrEnum):
    """The kinds of part."""

    REHEARSAL = "rehearsal"
    """The built-in lesson; needs no device and no file."""
    CAMERA = "camera"
    """A camera of this machine, by its number."""
    SCREEN = "screen"
    """A screen of this machine, by its number."""
    MIC = "mic"
    """A microphone of this machine, by its number or a part of its name."""
    FILE = "file"
    """A video or sound file, looped."""
    RTSP = "rtsp"
    """A network camera or recording host."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a source string."""

    scheme: Scheme
    value: str = ""
    """What follows the colon: a number, a name, a path, or the whole address of an RTSP stream."""

    @property
    def index(self) -> int:
        """The number of a camera or screen."""
        return int(self.value)

    @property
    def path(self) -> Path:
        """The path of a file."""
        return Path(self.value)

    def __str__(self) -> str:
        return self.value if self.scheme is Scheme.RTSP else f"{self.scheme}:{self.value}".removesuffix(":")


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """A source string, understood: which part gives the picture, the sound and the slides."""

    text: str
    picture: Part
    sound: Part | None
    """None: the sound of the picture's part, or silence where that has none."""
    slides: Part | None
    """A screen named for the slides; None: the rehearsal's slides."""


_START = re.compile(r"(?:rehearsal|camera|screen|mic|file)(?::|$|\+)|rtsps?://", re.IGNORECASE)
_NUMBERED = {Scheme.CAMERA: "camera", Scheme.SCREEN: "screen"}


def understood(text: str) -> SourceSpec:
    """Read a source string; looks whether files exist, opens nothing.

    Raises:
        SourceRefused: it cannot be understood, or names a file that is not there.
    """
    clean = text.strip()
    if not clean:
        raise SourceRefused(f"the source is empty; write for example: {EXAMPLES}")
    try:
        return _joined(clean, [_part(piece, clean) for piece in _pieces(clean)])
    except SourceRefused as refused:
        raise SourceRefused(shown(str(refused))) from None


def shown(text: str) -> str:
    """A source, or words about one, without the password of a network camera: for logs and screens."""
    return re.sub(r"//[^/@\s]*@", "//…@", text)


def _pieces(text: str) -> list[str]:
    """Cut at each `+` that ends a part; see the rule for paths in the module's docstring."""
    cuts = [at for at, letter in enumerate(text) if letter == "+"]
    if text[:5].lower() == "file:":
        ends = [at for at in [*cuts, len(text)] if at == len(text) or _START.match(text, at + 1)]
        end = next((at for at in reversed(ends) if Path(text[5:at]).is_file()), ends[0])
    elif re.match(r"rtsps?://", text, re.IGNORECASE):
        end = next((at for at in cuts if _START.match(text, at + 1)), len(text))
    else:
        end = cuts[0] if cuts else len(text)
    return [text[:end]] if end == len(text) else [text[:end], *_pieces(text[end + 1 :])]


def _part(piece: str, text: str) -> Part:
    piece = piece.strip()
    if not piece:
        raise SourceRefused(f"{text!r} has a + with nothing beside it; write for example camera:0+mic:default")
    if re.match(r"rtsps?://", piece, re.IGNORECASE):
        if not re.match(r"rtsps?://[^/]", piece, re.IGNORECASE):
            raise SourceRefused(f"{piece!r} names no host; write for example rtsp://10.0.0.8/stream1")
        return Part(Scheme.RTSP, piece)
    name, colon, value = piece.partition(":")
    try:
        scheme = Scheme(name.strip().lower())
    except ValueError:
        raise SourceRefused(_unknown(piece, name)) from None
    return _checked(scheme, colon, value.strip(), piece)


def _unknown(piece: str, name: str) -> str:
    if Path(piece).is_file():
        return f"{piece!r} is a file, not a source; did you mean file:{piece}?"
    near = difflib.get_close_matches(name.strip().lower(), [*Scheme, "microphone", "cam"], n=1, cutoff=0.6)
    meant = {"microphone": "mic", "cam": "camera"}.get(near[0], near[0]) if near else None
    hint = f"did you mean {_form(Scheme(meant))}?" if meant else f"known are {', '.join(_form(one) for one in Scheme)};"
    return f"there is no source {piece!r}; {hint} Examples: {EXAMPLES}"


def _form(scheme: Scheme) -> str:
    forms = {
        Scheme.REHEARSAL: "rehearsal",
        Scheme.CAMERA: "camera:N",
        Scheme.SCREEN: "screen:N",
        Scheme.MIC: "mic:NAME_OR_INDEX",
        Scheme.FILE: "file:PATH",
        Scheme.RTSP: "rtsp://HOST/PATH",
    }
    return forms[scheme]


def _checked(scheme: Scheme, colon: str, value: str, piece: str) -> Part:
    if scheme is Scheme.REHEARSAL and colon:
        raise SourceRefused(f"{piece!r}: rehearsal takes nothing after it; write rehearsal")
    if scheme is Scheme.RTSP:
        raise SourceRefused(f"{piece!r} is no address; write rtsp://HOST/PATH, for example rtsp://10.0.0.8/stream1")
    if scheme in _NUMBERED:
        if not value.isascii() or not value.isdigit():
            wrong = f"{value!r} is not a number" if value else "the number is missing"
            raise SourceRefused(
                f"{piece!r}: {wrong}; a {scheme} is named by its number from 0, for example {scheme}:0 "
                "(`tongtang agent sources` lists them)"
            )
        return Part(scheme, str(int(value)))
    if scheme is Scheme.FILE:
        return _file(value)
    return Part(scheme, value)


def _file(value: str) -> Part:
    if not value:
        raise SourceRefused("file: names no path; write file:PATH, for example file:lesson.mp4")
    path = Path(value).expanduser()
    if path.is_dir():
        raise SourceRefused(f"{value} is a folder; name one file in it, for example file:{path / 'lesson.mp4'}")
    if not path.is_file():
        if (
            cut := next((at for at, one in enumerate(value) if one == "+" and Path(value[:at]).is_file()), None)
        ) is not None:
            # The file is there; what follows its plus is what was mistyped.
            _part(value[cut + 1 :], f"file:{value}")
        beside = [one.name for one in path.parent.iterdir() if one.is_file()] if path.parent.is_dir() else []
        near = difflib.get_close_matches(path.name, beside, n=1, cutoff=0.7)
        hint = f"did you mean file:{path.parent / near[0]}?" if near else "write file:PATH, for example file:lesson.mp4"
        raise SourceRefused(f"there is no file {value} (looked in {path.parent.resolve()}); {hint}")
    return Part(Scheme.FILE, str(path))


def _joined(text: str, parts: list[Part]) -> SourceSpec:
    seeing = [part for part in parts if part.scheme not in {Scheme.MIC, Scheme.SCREEN}]
    screens = [part for part in parts if part.scheme is Scheme.SCREEN]
    mics = [part for part in parts if part.scheme is Scheme.MIC]
    if not seeing:
        return _without_picture(text, screens, mics)
    first, *after = seeing
    sounds = after + mics
    for part in after:
        if part.scheme in {Scheme.CAMERA, Scheme.REHEARSAL}:
            raise SourceRefused(
                f"{text!r} names two pictures, {first} and {part}; "
                f"after the plus comes sound or a screen, for example {first}+mic:default"
            )
    _only_one(text, screens, "screens")
    _only_one(text, sounds, "sounds")
    return SourceSpec(text, first, sounds[0] if sounds else None, screens[0] if screens else None)


def _without_picture(text: str, screens: list[Part], mics: list[Part]) -> SourceSpec:
    _only_one(text, screens, "screens")
    _only_one(text, mics, "sounds")
    # A microphone alone keeps the rehearsal's picture, as a file that holds only sound does.
    picture = screens[0] if screens else Part(Scheme.REHEARSAL)
    return SourceSpec(text, picture, mics[0] if mics else None, screens[0] if screens else None)


def _only_one(text: str, parts: list[Part], what: str) -> None:
    if len(parts) > 1:
        both = " and ".join(str(part) for part in parts)
        raise SourceRefused(f"{text!r} names {len(parts)} {what}, {both}; keep one, for example camera:0+mic:default")
