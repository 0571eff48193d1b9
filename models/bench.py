"""How fast is each model on this machine, and how much memory does it take: `tongtang models bench`.

Each model is tried in a process of its own, so that its memory is its own. What is fed is noise: the nets take
as long for it as for a room (only picking out what they found takes longer in a full one, by a few per cent).
"""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import numpy as np
import psutil
from numpy.typing import NDArray

from models.ge2e import WINDOW_SAMPLES
from models.manifest import Model, ModelsTrouble, load_manifest
from models.session import open_session

TRY_LIMIT_S: Final = 300
"""A model that takes longer is told as such; the slowest machine needs a second a picture."""
SEED: Final = 5


class BenchFailed(ModelsTrouble):
    """A model could not be tried; the message says why."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What one model costs on this machine, on one thread."""

    name: str
    unit: str
    """What one run is of."""
    runs: int
    load_ms: float
    """Reading, checking and opening the file, once."""
    median_ms: float
    """Wall time of a run."""
    p95_ms: float
    cpu_ms: float
    """Processor time of a run, mean."""
    memory_mib: float
    """Resident memory that loading and running add to a process that has the libraries loaded."""


@dataclass(frozen=True, slots=True)
class Exercise:
    """How a model is tried that has a class of its own, made with the folder of models."""

    unit: str
    module: str
    made: str
    """The class."""
    method: str
    """What is called on it, with one argument."""
    fed: Callable[[], object]
    """Makes that argument."""


def _sound() -> NDArray[np.float32]:
    return np.random.default_rng(SEED).normal(0, 0.1, 5120).astype(np.float32)


def _window() -> NDArray[np.float32]:
    return np.random.default_rng(SEED).normal(0, 0.1, (1, WINDOW_SAMPLES)).astype(np.float32)


def _picture() -> NDArray[np.uint8]:
    return np.random.default_rng(SEED).integers(0, 256, (360, 640, 3), np.uint8)


FACE_MODEL: Final = "face-model"
"""A faster face model that an operator supplied as a file; it is in no manifest."""
EXERCISES: Final[Mapping[str, Exercise]] = {
    "silero-vad": Exercise("320 ms of sound", "models.silero", "SpeechDetector", "update", _sound),
    "centerface": Exercise("picture", "models.centerface", "FaceDetector", "faces", _picture),
    "ge2e": Exercise("window of 1.6 s of speech", "models.ge2e", "VoiceEncoder", "voices", _window),
    FACE_MODEL: Exercise("picture", "models.yunet", "YuNet", "faces", _picture),
    "movenet-multipose": Exercise("picture", "models.movenet", "PoseDetector", "people", _picture),
}
FREE: Final[Mapping[str, int]] = {"frames": 160, "n_frames": 160, "time": 160}
"""Sizes for axes that a model leaves open, by their names; 1 for all others."""
KINDS: Final[Mapping[str, type]] = {
    "tensor(float)": np.float32,
    "tensor(uint8)": np.uint8,
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
}


def _by_its_inputs(model: Model, folder: Path) -> "partial[object]":
    """A run of a model that nobody has described here: noise of the shapes that it declares."""
    session = open_session(model, folder)
    noise = np.random.default_rng(SEED)
    inputs: dict[str, NDArray[Any]] = {}
    for one in session.get_inputs():
        shape = [size if isinstance(size, int) else FREE.get(str(size), 1) for size in one.shape]
        if one.type not in KINDS:
            raise BenchFailed(f"{model.name} takes a {one.type}, which this cannot make up")
        inputs[one.name] = noise.random(shape).astype(KINDS[one.type])
    return partial(session.run, None, inputs)


def tried(name: str, folder: Path, runs: int) -> Figures:
    """Try the model called `name` in this process; `FACE_MODEL` is the YuNet in the file `folder`.

    Raises:
        ModelsTrouble: it is missing, corrupt, unknown or cannot be run.
    """
    exercise = EXERCISES.get(name)
    model = load_manifest().find(name) if name != FACE_MODEL else None
    # Libraries such as OpenCV are everybody's: they are loaded before the model's own memory is looked at.
    made = getattr(import_module(exercise.module), exercise.made) if exercise else None
    me = psutil.Process()
    before = me.memory_info().rss
    began = time.perf_counter()
    run: partial[object]
    if exercise and made:
        run = partial(getattr(made(folder), exercise.method), exercise.fed())
    elif model:
        run = _by_its_inputs(model, folder)
    load_ms = (time.perf_counter() - began) * 1e3
    run()  # the first run lays out memory
    walls = []
    cpu = time.process_time()
    for _ in range(runs):
        began = time.perf_counter()
        run()
        walls.append((time.perf_counter() - began) * 1e3)
    cpu_ms = (time.process_time() - cpu) * 1e3 / runs
    p95 = float(np.percentile(walls, 95))
    memory = (me.memory_info().rss - before) / 2**20
    figures = (load_ms, statistics.median(walls), p95, cpu_ms, memory)
    return Figures(name, exercise.unit if exercise else "run", runs, *(round(one, 2) for one in figures))


def bench(name: str, folder: Path, runs: int) -> Figures:
    """Try the model called `name` in a process of its own; `FACE_MODEL` is the YuNet in the file `folder`.

    Raises:
        BenchFailed: with what that process said.
    """
    command = [sys.executable, "-m", "models.bench", name, str(folder), str(runs)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=TRY_LIMIT_S)
    except subprocess.TimeoutExpired as error:
        raise BenchFailed(f"{name} took longer than {TRY_LIMIT_S} s") from error
    if done.returncode != 0:
        words = done.stderr.strip().splitlines()
        raise BenchFailed(words[-1] if words else f"{name} could not be tried (exit code {done.returncode})")
    return Figures(**json.loads(done.stdout.splitlines()[-1]))


def main(name: str, folder: str, runs: str) -> int:
    """The process of one model: a line of JSON, or why not."""
    try:
        sys.stdout.write(json.dumps(asdict(tried(name, Path(folder), int(runs)))) + "\n")
    except ModelsTrouble as trouble:
        sys.stderr.write(f"{trouble}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:4]))
