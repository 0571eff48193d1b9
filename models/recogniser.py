"""A recogniser of speech that an operator supplies: a manifest names it, and nothing runs that is not what it names.

No recogniser comes with Tongtang, and none is fetched.
"""

import hashlib
import tomllib
from pathlib import Path
from typing import Annotated, Final, Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from models.manifest import ModelsTrouble

RATE_HZ: Final = 16_000
"""Of the sound that a recogniser is given."""
PIECE_BYTES: Final = 1 << 20

FloatArray = NDArray[np.float32]


class RecogniserUnusable(ModelsTrouble):
    """The manifest or a file of a recogniser is missing or wrong, or its engine is; the message says what to do."""


class Table(BaseModel):
    """A table of the manifest; unknown keys are errors, because they are misspelt ones."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class RecogniserFile(Table):
    """One file of the model."""

    file: str = Field(min_length=1, description="Path, from the manifest's folder.")
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    bytes: int = Field(gt=0)


class RecogniserFiles(Table):
    """What every kind needs."""

    model: RecogniserFile
    tokens: RecogniserFile


class Recogniser(Table):
    """The manifest."""

    name: str = Field(min_length=1, description="As observations name it.")
    engine: Literal["sherpa-onnx"] = Field(description="The package that runs it.")
    kind: Literal["sense_voice", "paraformer", "zipformer_ctc", "nemo_ctc"] = Field(description="Of model.")
    language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]+)*$")] = Field(
        description="That is spoken, as BCP 47 has it: zh, en, zh-HK."
    )
    threads: int = Field(1, ge=1, le=4)
    memory_mb: int = Field(ge=64, le=16_384, description="Over it, words are not told any more.")
    licence: str = Field(
        min_length=1, description="SPDX expression; whether it allows this use is the operator's call."
    )
    files: RecogniserFiles


class Said(Protocol):
    """What was understood of a stretch."""

    @property
    def text(self) -> str:
        """The words; empty where there are none."""

    @property
    def confidence(self) -> float | None:
        """0 to 1; None where the engine gives none."""


class Engine(Protocol):
    """Understands speech; models.sherpa.SherpaEngine is one."""

    def words(self, sound: FloatArray) -> Said:
        """Understand a stretch at 16 kHz, -1 to 1, shape (samples,)."""


def read_recogniser(path: Path) -> Recogniser:
    """Read a manifest; its files are not looked at.

    Raises:
        RecogniserUnusable: it is not there, or not what it should be; the message names the field.
    """
    try:
        return Recogniser.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise RecogniserUnusable(
            f"the recogniser's manifest {path} cannot be read ({error.strerror}); correct observe.recogniser, "
            "or leave it out: then no words are told"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RecogniserUnusable(f"the recogniser's manifest {path} is not TOML: {error}") from error
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise RecogniserUnusable(
            f"the recogniser's manifest {path}: {wrong}; docs/operator.md has an example"
        ) from error


def verified(recogniser: Recogniser, folder: Path) -> dict[str, Path]:
    """The files by name, `model` and `tokens`, each with the size and hash of the manifest.

    Raises:
        RecogniserUnusable: one is missing, or another file than the manifest names.
    """
    named = {"model": recogniser.files.model, "tokens": recogniser.files.tokens}
    return {name: _verified(one, folder) for name, one in named.items()}


def _verified(one: RecogniserFile, folder: Path) -> Path:
    path = folder / one.file
    digest, size = hashlib.sha256(), 0
    try:
        with path.open("rb") as file:
            while piece := file.read(PIECE_BYTES):
                digest.update(piece)
                size += len(piece)
    except OSError as error:
        raise RecogniserUnusable(
            f"the recogniser's file {path} cannot be read: {error.strerror}; copy it there"
        ) from error
    wrong = f"{size} bytes instead of {one.bytes}" if size != one.bytes else ""
    if not wrong and digest.hexdigest() != one.sha256:
        wrong = f"its SHA-256 is {digest.hexdigest()}"
    if wrong:
        raise RecogniserUnusable(
            f"the recogniser's file {path} is not the one that its manifest names: {wrong}; copy the right one there"
        )
    return path
