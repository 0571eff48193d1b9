"""Moving pictures of a class with real faces at known places: portraits that ship with scikit-image, made to move.

The 100 face crops of `lfw_subset` (25 x 25 grey pixels, Labeled Faces in the Wild) are set on a body before a
picture, and sit, turn away, stand up, hide behind a book, come in and walk through the room. One half of the faces
and backgrounds is for choosing thresholds, the other for reporting.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage import data

from agent.capture.picture import Bytes, from_bgr

WIDTH, HEIGHT, FPS = 1280, 720, 25
FACE_M = 0.26
"""Height of what a crop shows of a head, in metres: sizes in pixels become speeds with it."""
WALK_M_S = 1.4
LABEL_STEP = 4
"""Faces are known on every so many-th pixel, across and down."""
HIDDEN_DEG = 65.0
"""Turned further than this, nothing is drawn but hair."""


class Part(Enum):
    """Faces and backgrounds that are not the other part's."""

    TUNE = ("brick", "coffee", "coins")
    REPORT = ("motorcycle_left", "gravel", "rocket")


class Act(Enum):
    """What somebody does."""

    SIT = "sits, turns away and back"
    RISE = "rises from behind a desk"
    READ = "hides behind a book and shows up again"
    WALK = "comes in, walks, stands and walks on"


@dataclass(frozen=True, slots=True)
class Shown:
    """One moment."""

    buffer: Bytes
    """I420, shape (1080, 1280)."""
    labels: NDArray[np.uint8]
    """Whose face is where: 0 for nobody, else the number of the person from 1; shape (180, 320)."""


@dataclass(frozen=True, slots=True)
class _Person:
    face: Bytes
    """Shape (size, size, 3), BGR."""
    size: int
    act: Act
    x: float
    y: float
    """Where the middle of the head is, in pixels; of one who walks, where they stand for a while."""
    phase_s: float
    period_s: float
    hair: int
    clothes: tuple[int, int, int]
    walks_left: bool


class Crowd:
    """One sequence: who is there, and what each moment looks like."""

    def __init__(self, part: Part, seed: int, seconds: float = 12.0, *, light: float = 1.0, scale: float = 1.0) -> None:
        """Set it up.

        Args:
            part: which faces and backgrounds.
            seed: chooses among them, sizes and movements.
            seconds: length.
            light: brightness of the room; the camera's noise stays as it is.
            scale: of all heads.
        """
        self._light = light
        self.frames = round(seconds * FPS)
        self._random = np.random.default_rng((list(Part).index(part), seed))
        self._background = _background(part.value[seed % len(part.value)])
        self._noise = self._random.normal(0, 2.0, (5, HEIGHT, WIDTH)).astype(np.int8)
        faces = _faces()[0 if part is Part.TUNE else 1 :: 2]
        chosen = self._random.permutation(len(faces))
        self.people: list[_Person] = []
        rows = ((26, 200), (36, 300), (52, 420), (76, 590))
        for size, y in rows:
            count = 6 if size < 60 else 4
            for column in range(count):
                act = (Act.SIT, Act.SIT, Act.RISE, Act.READ)[int(self._random.integers(4))]
                x = (column + 0.5) * WIDTH / count + self._random.uniform(-25, 25)
                face = faces[chosen[len(self.people) % len(faces)]]
                self.people.append(
                    self._person(face, round(scale * (size + int(self._random.integers(-2, 5)))), act, x, y)
                )
        for size, y in ((30, 150), (56, 260), (80, 400)):
            face = faces[chosen[len(self.people) % len(faces)]]
            self.people.append(self._person(face, round(scale * size), Act.WALK, self._random.uniform(200, 1080), y))
        self.people.sort(key=lambda person: person.size)

    def _person(self, face: Bytes, size: int, act: Act, x: float, y: float) -> _Person:
        random = self._random
        method = cv2.INTER_AREA if size < len(face) else cv2.INTER_CUBIC
        grey = np.asarray(cv2.resize(face, (size, size), interpolation=method), np.float32)
        tint = np.asarray([0.72, 0.84, 1.0], np.float32) * random.uniform(0.8, 1.0)
        skin = np.clip(grey[:, :, None] * tint * 1.1, 0, 255).astype(np.uint8)
        blue, green, red = (int(value) for value in random.integers(30, 190, 3))
        times = (random.uniform(0, 8), random.uniform(6, 10))
        return _Person(
            skin, size, act, x, y, *times, int(random.integers(15, 70)), (blue, green, red), bool(random.integers(2))
        )

    def moments(self) -> Iterator[Shown]:
        """Every moment, 25 a second."""
        for number in range(self.frames):
            picture = self._background.copy()
            labels = np.zeros((HEIGHT // LABEL_STEP, WIDTH // LABEL_STEP), np.uint8)
            for index, person in enumerate(self.people, 1):
                self._draw(picture, labels, index, person, number / FPS)
            buffer = from_bgr(picture)
            noise = self._noise[number % len(self._noise)]
            luma = buffer[:HEIGHT]
            np.clip((luma.astype(np.int16) - 16) * self._light + 16 + noise, 0, 255, out=luma, casting="unsafe")
            yield Shown(buffer, labels)

    def _draw(self, picture: Bytes, labels: NDArray[np.uint8], index: int, person: _Person, t: float) -> None:
        size = person.size
        x, y, yaw, book = _pose(person, t)
        _body(picture, labels, person, x, y)
        _ellipse(picture, (x, y - 0.08 * size), (0.48 * size, 0.6 * size), (person.hair,) * 3)
        cos = float(np.cos(np.radians(yaw)))
        head = (x, y - 0.08 * size, 0.48 * size, 0.6 * size)
        _label(labels, 0, *head)  # hair hides whoever is behind
        if abs(yaw) < HIDDEN_DEG:
            shift = 0.2 * size * np.sin(np.radians(yaw))
            _lay(picture, person.face, x + shift, y, cos)
            _label(labels, index, x + shift, y, 0.38 * size * cos, 0.46 * size)
        desk = person.y + 0.62 * size
        if person.act is not Act.WALK and desk < HEIGHT:
            half = 1.1 * size
            _block(picture, labels, x - half, desk, x + half, desk + 2.2 * size, (70, 100, 130))
        if book > 0:
            top = y + 0.6 * size - 1.2 * size * book
            _block(picture, labels, x - 0.55 * size, top, x + 0.55 * size, top + 1.2 * size, (60, 140, 90))


def _pose(person: _Person, t: float) -> tuple[float, float, float, float]:
    """Where the head is, how far it is turned in degrees, and how far up the book is (0 to 1)."""
    size = person.size
    turn = ((t + person.phase_s) % person.period_s) / person.period_s
    sway = 0.05 * size * np.sin(0.9 * t + person.phase_s)
    x, y, yaw, book = person.x + sway, person.y, 12 * np.sin(0.5 * t + person.phase_s), 0.0
    quick = 0.5 / person.period_s
    bump = float(np.clip(min((turn - 0.5) / quick, (0.85 - turn) / quick), 0, 1))
    if person.act is Act.SIT:
        yaw += 150 * bump
    elif person.act is Act.RISE:
        y += 1.6 * size * bump
    elif person.act is Act.READ:
        book = bump
    else:
        speed = WALK_M_S / FACE_M * size
        stand_s, way_s = 2.5, person.x / speed
        at_s = (t - person.phase_s * 0.4) if not person.walks_left else t - person.phase_s * 0.3
        along = min(at_s - way_s, 0.0) + max(at_s - way_s - stand_s, 0.0)
        x = person.x + speed * along
        y += 0.04 * size * abs(np.sin(2 * np.pi * t)) * float(along != 0)
        yaw = 40.0 * float(along != 0)
        if person.walks_left:
            x, yaw = WIDTH - x, -yaw
    return float(x), float(y), float(yaw), book


def _body(picture: Bytes, labels: NDArray[np.uint8], person: _Person, x: float, y: float) -> None:
    size = person.size
    corners = [(-0.2, 0.35), (0.2, 0.35), (0.9, 0.75), (1.0, 2.6), (-1.0, 2.6), (-0.9, 0.75)]
    polygon = np.asarray([(x + across * size, y + down * size) for across, down in corners]) * 16
    cv2.fillPoly(picture, [polygon.astype(np.int32)], person.clothes, cv2.LINE_AA, 4)
    cv2.fillPoly(labels, [(polygon / LABEL_STEP).astype(np.int32)], 0, cv2.LINE_8, 4)


def _ellipse(picture: Bytes, middle: tuple[float, float], half: tuple[float, float], colour: tuple[int, ...]) -> None:
    fixed = [(round(a * 16), round(b * 16)) for a, b in (middle, half)]
    cv2.ellipse(picture, fixed[0], fixed[1], 0, 0, 360, colour, -1, cv2.LINE_AA, 4)


def _lay(picture: Bytes, face: Bytes, x: float, y: float, cos: float) -> None:
    """A face with its middle at (x, y), narrower by `cos`, through an ellipse with a soft edge."""
    size = len(face)
    left, top = int(np.floor(x - size / 2)), int(np.floor(y - size / 2))
    move = np.asarray([[cos, 0, x - left - cos * size / 2], [0, 1, y - top - size / 2]], np.float32)
    sides = (size + 1, size + 1)
    patch = cv2.warpAffine(face, move, sides, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    soft = np.zeros((size, size), np.float32)
    cv2.ellipse(soft, (size // 2, size // 2), (round(0.42 * size), round(0.49 * size)), 0, 0, 360, 1.0, -1)
    soft = cv2.GaussianBlur(soft, (0, 0), max(0.5, size / 30))
    alpha = cv2.warpAffine(soft, move, sides)[:, :, None]
    inner = (slice(max(0, top), min(HEIGHT, top + sides[1])), slice(max(0, left), min(WIDTH, left + sides[0])))
    if inner[0].start >= inner[0].stop or inner[1].start >= inner[1].stop:
        return
    cut = (slice(inner[0].start - top, inner[0].stop - top), slice(inner[1].start - left, inner[1].stop - left))
    below = picture[inner].astype(np.float32)
    picture[inner] = (below + (patch[cut] - below) * alpha[cut]).astype(np.uint8)


def _label(labels: NDArray[np.uint8], index: int, x: float, y: float, half_x: float, half_y: float) -> None:
    ends = ((x, y), (max(half_x, 1.0), half_y))
    fixed = [
        (round(a / LABEL_STEP * 16 - 8 * at0), round(b / LABEL_STEP * 16 - 8 * at0))
        for (a, b), at0 in zip(ends, (1, 0), strict=True)
    ]
    cv2.ellipse(labels, fixed[0], fixed[1], 0, 0, 360, index, -1, cv2.LINE_8, 4)


def _block(
    picture: Bytes,
    labels: NDArray[np.uint8],
    left: float,
    top: float,
    right: float,
    bottom: float,
    colour: tuple[int, ...],
) -> None:
    cv2.rectangle(picture, (round(left), round(top)), (round(right), round(bottom)), colour, -1)
    ends = [(round(a / LABEL_STEP), round(b / LABEL_STEP)) for a, b in ((left, top), (right, bottom))]
    cv2.rectangle(labels, ends[0], ends[1], 0, -1)


def _faces() -> NDArray[np.uint8]:
    """Shape (100, 25, 25), grey."""
    crops = np.load(Path(data.__file__).parent / "lfw_subset.npy")[:100]
    return np.asarray(np.clip(crops * 255, 0, 255), np.uint8)


def _background(name: str) -> Bytes:
    """A picture of scikit-image as a dim room's wall, BGR."""
    image = getattr(data, name)() if name != "motorcycle_left" else data.stereo_motorcycle()[0]
    image = image[:, :, None].repeat(3, 2) if image.ndim == 2 else image[:, :, 2::-1]
    scale = max(WIDTH / image.shape[1], HEIGHT / image.shape[0])
    large = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)[:HEIGHT, :WIDTH]
    return np.ascontiguousarray((60 + 0.5 * large).clip(0, 255).astype(np.uint8))
