"""What waits to be observed: pictures at a low cadence, sound without a hole, all of it bounded."""

import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter

from agent.capture.frame import SOUND_RATE_HZ, Block, Frame
from agent.observe.wire import Kind, Message, packed_picture

SOUND_LIMIT_BLOCKS = 500
"""10 s of sound; when the observing process is away for longer, the oldest is dropped and counted."""
BATCH_BLOCKS = 10
"""200 ms a message: five wake-ups a second instead of fifty."""
CAMERA_WIDTH = 640
CAMERA_HEIGHT = 384
"""A camera picture is fitted into this before it is sent."""
SLIDES_WIDTH = 1280
SLIDES_HEIGHT = 720
"""The same for the slides, whose words must stay legible."""

NOTHING_SEEN = np.zeros((CAMERA_HEIGHT, CAMERA_WIDTH, 3), np.uint8)
"""What is sent for a camera that is away: dark, so that it is unknown who is there; the card's empty page is nobody."""

PictureTrack = Literal["camera", "slides"]


@dataclass(frozen=True, slots=True)
class Sound:
    """Blocks without a hole between them."""

    kind: Kind
    """What they are."""
    blocks: tuple[Block, ...]


Item = tuple[PictureTrack, Frame] | Sound
"""One picture, or a piece of sound."""


@dataclass
class FeedCounts:
    """What became of what was offered."""

    pictures: int = 0
    """Pictures taken at the cadence."""
    replaced_pictures: int = 0
    """Of these, never sent, because a newer one was due first."""
    dropped_blocks: int = 0
    """Blocks of 20 ms dropped, oldest first."""
    dropped_played: int = 0
    """The same of what the loudspeaker plays,"""
    dropped_teacher: int = 0
    """and of the teacher's own microphone."""


class Feed:
    """Takes every frame and block at once, on the capture threads; hands on what is due, on the feeder's.

    One picture a track waits at most (a newer one replaces it) and 10 s of sound.
    """

    def __init__(self, period_s: Mapping[PictureTrack, float]) -> None:
        """`period_s`: seconds between two pictures of a track."""
        self.counts = FeedCounts()
        self._period_ns = {track: round(period * 1e9) for track, period in period_s.items()}
        self._due_ns: dict[PictureTrack, int] = {}
        self._pictures: dict[PictureTrack, Frame] = {}
        self._blocks: deque[Block] = deque()
        self._played: deque[Block] = deque(maxlen=SOUND_LIMIT_BLOCKS)
        self._teacher: deque[Block] = deque(maxlen=SOUND_LIMIT_BLOCKS)
        self._closed = False
        self._wake = threading.Condition()

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._closed

    def offer_frame(self, track: PictureTrack, frame: Frame) -> None:
        """Take a frame if one is due; never blocks. A card that stands in for slides is none."""
        if frame.stand_in and track == "slides":
            return
        due = self._due_ns.get(track, frame.mono_ns)
        if frame.mono_ns < due:
            return
        period = self._period_ns[track]
        # On the grid of the first picture, unless a pause took us off it.
        self._due_ns[track] = due + period if frame.mono_ns - due < period else frame.mono_ns + period
        with self._wake:
            if self._closed:
                return
            self.counts.pictures += 1
            self.counts.replaced_pictures += track in self._pictures
            self._pictures[track] = frame
            self._wake.notify()

    def offer_block(self, block: Block) -> None:
        """Take a block; never blocks. The oldest goes when 10 s are waiting."""
        with self._wake:
            if self._closed:
                return
            self._blocks.append(block)
            if len(self._blocks) > SOUND_LIMIT_BLOCKS:
                self._blocks.popleft()
                self.counts.dropped_blocks += 1
            if len(self._blocks) >= BATCH_BLOCKS:
                self._wake.notify()

    def offer_played(self, block: Block) -> None:
        """Take what the loudspeaker plays, on one thread, the audio callback: without any lock.

        It is handed on ahead of the room's sound; the oldest goes when 10 s are waiting. Digital silence need not wait.
        """
        if self._closed or not block.samples.any():
            return
        self.counts.dropped_played += len(self._played) == SOUND_LIMIT_BLOCKS
        self._played.append(block)

    def offer_teacher(self, block: Block) -> None:
        """Take what the teacher's own microphone hears, on one thread; as `offer_played`, but silence is news here."""
        if not self._closed:
            self.counts.dropped_teacher += len(self._teacher) == SOUND_LIMIT_BLOCKS
            self._teacher.append(block)

    def set_period(self, track: PictureTrack, period_s: float) -> None:
        """Take pictures of a track at another cadence, from the next one on; any thread."""
        self._period_ns[track] = round(period_s * 1e9)

    def close(self) -> None:
        """Take nothing more; what waits is still handed on."""
        with self._wake:
            self._closed = True
            self._wake.notify_all()

    def wake(self) -> None:
        """Let a waiting `take` return."""
        with self._wake:
            self._wake.notify_all()

    def take(self, wait_s: float) -> list[Item]:
        """What is due; empty after `wait_s` without anything. Sound comes first: its order matters more.

        What was played comes before the sound in which it may be heard.
        """
        with self._wake:
            if not self._due() and not self._closed:
                self._wake.wait(wait_s)
            if not self._due():
                return []
            items: list[Item] = []
            while self._played:
                items.append(_batch(Kind.PLAYED, self._played))
            while self._teacher:
                items.append(_batch(Kind.TEACHER, self._teacher))
            while len(self._blocks) >= BATCH_BLOCKS or (self._closed and self._blocks):
                items.append(_batch(Kind.SOUND, self._blocks))
            items.extend(self._pictures.items())
            self._pictures.clear()
            return items

    def _due(self) -> bool:
        waiting = len(self._blocks) >= BATCH_BLOCKS or bool(self._pictures)
        return waiting or (self._closed and bool(self._blocks))


def _batch(kind: Kind, waiting: deque[Block]) -> Sound:
    """Up to 200 ms of blocks that follow one another."""
    batch = [waiting.popleft()]
    while waiting and len(batch) < BATCH_BLOCKS and _follows(batch[-1], waiting[0]):
        batch.append(waiting.popleft())
    return Sound(kind, tuple(batch))


def _follows(block: Block, after: Block) -> bool:
    length_ns = round(len(block.samples) / SOUND_RATE_HZ * 1e9)
    return abs(after.mono_ns - block.mono_ns - length_ns) <= length_ns // 2


class Packer:
    """Makes messages of what waited: pictures shrunk, blocks joined. For one thread."""

    def __init__(self) -> None:
        self._reformatters = {"camera": VideoReformatter(), "slides": VideoReformatter()}

    def message(self, item: Item) -> Message:
        """The message for the observing process."""
        if isinstance(item, Sound):
            samples = np.concatenate([block.samples for block in item.blocks])
            return Message(item.kind, item.blocks[0].mono_ns, samples.astype(np.int16, copy=False).tobytes())
        track, frame = item
        if track == "slides":
            most, form, kind = (SLIDES_WIDTH, SLIDES_HEIGHT), "gray", Kind.SLIDES
        else:
            most, form, kind = (CAMERA_WIDTH, CAMERA_HEIGHT), "bgr24", Kind.CAMERA
        if frame.stand_in:
            return Message(kind, frame.mono_ns, packed_picture(NOTHING_SEEN))
        wide, high = _fitted((frame.picture.width, frame.picture.height), most)
        small = self._reformatters[track].reformat(
            frame.picture, wide, high, format=form, interpolation=Interpolation.AREA
        )
        return Message(kind, frame.mono_ns, packed_picture(small.to_ndarray().astype(np.uint8, copy=False)))


def _fitted(size: tuple[int, int], most: tuple[int, int]) -> tuple[int, int]:
    """The size that fits into `most` with its proportions kept; never larger than it is."""
    scale = min(1.0, most[0] / size[0], most[1] / size[1])
    return max(2, round(size[0] * scale / 2) * 2), max(2, round(size[1] * scale / 2) * 2)
