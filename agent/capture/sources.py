"""From a source string to the picture, slides and sound of a room that holds a lesson."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from agent.capture import camera, microphone, screen
from agent.capture.file import FilePicture, FileSound
from agent.capture.frame import FrameSource, SoundSource
from agent.capture.lasting import LastingPicture, LastingSound
from agent.capture.listing import SourceLine, list_sources
from agent.capture.masks import RoomMasks, masked
from agent.capture.pace import CommonStart
from agent.capture.probe import FileFacts, probe
from agent.capture.rehearsal.lesson import SLIDES_FPS, RehearsalCamera, RehearsalSlides, RehearsalSound
from agent.capture.rtsp import RtspPicture, RtspSound
from agent.capture.spec import Part, Scheme, SourceRefused, SourceSpec, shown, understood
from agent.capture.still import Silence, StillPicture

__all__ = [
    "RoomSources",
    "Scheme",
    "SourceLine",
    "SourceRefused",
    "SourceSpec",
    "list_sources",
    "open_room",
    "parse_source",
    "watching_room",
]

OnTrouble = Callable[[str], None]
"""Told once in words when a device goes, and once when it is back; called on the source's own thread."""

SLIDES_SIZE = (1280, 720)
CARDS = {
    Scheme.CAMERA: ("没有摄像头画面", "No camera picture"),
    Scheme.SCREEN: ("没有屏幕画面", "No screen picture"),
    Scheme.FILE: ("没有视频文件", "No video file"),
    Scheme.RTSP: ("没有录播画面", "No network camera picture"),
}
"""What stands in for a picture that is away, in Chinese and English."""
WATCHING = ("观摩教室，不开摄像头", "Observers: no camera here")
WATCHING_FPS = 5


@dataclass(frozen=True, slots=True)
class RoomSources:
    """All that one room sees and hears; each source is read by one thread of its reader's choice."""

    camera: FrameSource
    slides: FrameSource | None
    sound: SoundSource | None
    missing: tuple[str, ...]
    """One sentence for each thing that is not there, with what to do."""
    lasting: tuple[LastingPicture | LastingSound, ...]
    """Those of them that read a device on a thread of its own."""

    def close(self) -> None:
        """Wait until every device is let go of; may be called twice. Set the readers' `stop` before."""
        for source in self.lasting:
            source.close()


def parse_source(text: str) -> SourceSpec:
    """Read a source string, and look into the files it names; opens no device. The grammar stands in spec.py.

    Raises:
        SourceRefused: it cannot be understood, or names a file that is not there, is damaged or has no sound to give.
    """
    spec = understood(text)
    if spec.picture.scheme is Scheme.FILE:
        probe(spec.picture.path)
    if spec.sound is not None and spec.sound.scheme is Scheme.FILE and not probe(spec.sound.path).has_sound:
        raise SourceRefused(
            f"{spec.sound.value} holds no sound; after the plus comes a file with sound, "
            f"for example {shown(str(spec.picture))}+file:lesson.wav"
        )
    return spec


def open_room(
    spec: SourceSpec,
    *,
    size: tuple[int, int],
    fps: int,
    seed: int,
    has_slides: bool,
    name: str = "",
    masks: RoomMasks | None = None,
    on_trouble: OnTrouble = lambda _words: None,
) -> RoomSources:
    """Prepare what `spec` names; devices open when they are first read.

    What is missing is told in `missing` and stood in for by a card or silence, and tried again, so
    that the lesson goes on. Never raises for a device or file that is away.

    Args:
        spec: what to open.
        size: width and height of the camera track, in pixels, both even.
        fps: pictures a second of the camera track, at most.
        seed: chooses the look and voice of the rehearsal.
        has_slides: the room sends slides; the rehearsal shows a teacher then, else pupils.
        name: name of the room, shown in the rehearsal's picture.
        masks: what is covered in its pictures.
        on_trouble: told when a device goes and when it is back, and when a picture is withheld.
    """
    room = _Room(spec, size, fps, seed, name, on_trouble, lead=has_slides).opened()
    if masks is None:
        return room
    camera_track = masks.laid_over(room.camera, on_trouble)
    slides = room.slides
    if slides is not None:
        # Always of one shape, so that areas drawn once stay right.
        slides = masked("the slides' picture", slides, masks.slides, (slides.width, slides.height), on_trouble)
    return replace(room, camera=camera_track, slides=slides)


def watching_room(size: tuple[int, int]) -> RoomSources:
    """What a room sends in which teachers watch a master class: a card and silence. No device is opened.

    Something is sent, because the other rooms know by it that this one is there.

    Args:
        size: width and height of the camera track, in pixels, both even.
    """
    return RoomSources(StillPicture(size, WATCHING_FPS, *WATCHING), None, Silence(), (), ())


class _Room:
    """Chooses the source of each medium; its methods add to `missing` as they find out."""

    def __init__(
        self,
        spec: SourceSpec,
        size: tuple[int, int],
        fps: int,
        seed: int,
        name: str,
        on_trouble: OnTrouble,
        *,
        lead: bool,
    ) -> None:
        self._spec, self._size, self._fps, self._seed = spec, size, fps, seed
        self._name, self._on_trouble, self._lead = name, on_trouble, lead
        self._start = CommonStart()
        self._missing: list[str] = []
        self._lasting: list[LastingPicture | LastingSound] = []
        self._rtsp_sound: RtspSound | None = None

    def opened(self) -> RoomSources:
        picture = self._spec.picture
        if picture.scheme is Scheme.FILE and (facts := self._facts(picture)) is not None and not facts.has_picture:
            picture = Part(Scheme.REHEARSAL)
        camera_track = self._picture(picture, self._size, self._fps)
        slides = self._slides(picture) if self._lead else None
        sound = self._sound(self._spec.sound or self._spec.picture)
        return RoomSources(camera_track, slides, sound, tuple(dict.fromkeys(self._missing)), tuple(self._lasting))

    def _picture(self, part: Part, size: tuple[int, int], fps: int) -> FrameSource:
        source: FrameSource
        match part.scheme:
            case Scheme.CAMERA:
                self._note(camera.missing_words(part.index))
                source = camera.Camera(part.index, size, fps)
            case Scheme.SCREEN:
                self._note(screen.missing_words(part.index))
                source = screen.Screen(part.index, size, fps)
            case Scheme.RTSP:
                if self._spec.sound is None:
                    self._rtsp_sound = RtspSound(part.value, alone=False)
                source = RtspPicture(part.value, size, fps, self._rtsp_sound)
            case Scheme.FILE:
                facts = self._facts(part)
                if facts is None:
                    return StillPicture(size, fps, *CARDS[Scheme.FILE])
                source = FilePicture(facts, size, fps, self._start)
            case _:
                return RehearsalCamera(size, fps, self._seed, lead=self._lead, name=self._name, start=self._start)
        picture = LastingPicture(shown(str(part)), source, CARDS[part.scheme], self._on_trouble)
        self._lasting.append(picture)
        return picture

    def _slides(self, picture: Part) -> FrameSource:
        if self._spec.slides is not None:
            return self._picture(self._spec.slides, SLIDES_SIZE, SLIDES_FPS)
        if picture.scheme is Scheme.REHEARSAL:
            return RehearsalSlides(start=self._start)
        # The built-in pages would be a false lesson beside a real one.
        self._note(f"no slides are named; add a screen, for example {shown(self._spec.text)}+screen:0")
        return StillPicture(SLIDES_SIZE, SLIDES_FPS, "没有课件", "No slides")

    def _sound(self, part: Part) -> SoundSource:
        source: SoundSource
        match part.scheme:
            case Scheme.REHEARSAL:
                return RehearsalSound(self._seed, lead=self._lead, start=self._start)
            case Scheme.MIC:
                self._note(microphone.missing_words(part.value))
                source = microphone.Microphone(part.value, self._on_trouble)
            case Scheme.RTSP:
                source = self._rtsp_sound or RtspSound(part.value, alone=True)
            case Scheme.FILE:
                facts = self._facts(part)
                if facts is None:
                    return Silence()
                if not facts.has_sound:
                    return self._silent(part)
                source = FileSound(facts, self._start)
            case _:
                return self._silent(part)
        sound = LastingSound(f"the sound of {shown(str(part))}", source, self._on_trouble)
        self._lasting.append(sound)
        return sound

    def _silent(self, part: Part) -> SoundSource:
        self._note(f"{part} gives no sound; add a microphone, for example {part}+mic:default")
        return Silence()

    def _facts(self, part: Part) -> FileFacts | None:
        try:
            return probe(part.path)
        except SourceRefused as refused:
            self._note(str(refused))
            return None

    def _note(self, words: str | None) -> None:
        if words is not None:
            self._missing.append(words)
