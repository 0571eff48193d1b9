"""What the models are, where they come from and how to know that a file is the right one."""

import os
import sys
import tomllib
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from models.behaviour import Behaviour

FOLDER_VARIABLE = "TONGTANG_MODELS"
"""Environment variable that names the folder of installed models."""


class ModelsTrouble(Exception):
    """Base of everything that goes wrong with models.

    - `ModelUnknown`: no model has that name.
    - `ModelUnusable`: the file is missing, corrupt or refused by onnxruntime.
    - `InstallFailed`: the package could not be had, or does not hold what it should.
    """


class InstallFailed(ModelsTrouble):
    """A package could not be had, or does not hold what the manifest names; nothing was changed."""


class ModelUnknown(ModelsTrouble):
    """A name that is not in the manifest."""


class Model(BaseModel):
    """One model: the package it is published in and the file that is taken out."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    kind: Literal["wheel", "npm"] = Field(
        description="What the package is: a wheel of the Python package index, or a tarball of the npm registry."
    )
    package: str
    version: str
    member: str = Field(description="Path of the file inside the package.")
    beside: tuple[str, ...] = Field((), description="Other files of the package that converting needs beside it.")
    convert: Literal["ge2e", "movenet"] | None = Field(
        None, description="Module of models.convert that writes the file as ONNX; none: it is one already."
    )
    source_sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] | None = Field(
        None,
        description="Of a converted model: of `member` and `beside` in this order, before converting.",
    )
    file: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]*$")] = Field(
        description="Name it is installed under."
    )
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] = Field(
        description="Of the installed file; of a converted model, of what converting must give."
    )
    bytes: int = Field(gt=0, description="Size of the installed file.")
    licence: str = Field(description="SPDX expression.")
    source: str = Field(description="Who made it, and where it is published.")
    purpose: str
    measured: str = Field(description="What it was measured to do, and on what.")

    @model_validator(mode="after")
    def _source_is_named(self) -> Self:
        if (self.convert is None) != (self.source_sha256 is None) or (self.beside and self.convert is None):
            raise ValueError(f"{self.name}: convert and source_sha256 go together, and beside with them")
        return self


class Manifest(BaseModel):
    """Every model that this version of the software uses."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: tuple[Model, ...]
    behaviour: tuple[Behaviour, ...] = ()

    def find(self, name: str) -> Model:
        """The model called `name`.

        Raises:
            ModelUnknown: there is none; the message names those there are.
        """
        for model in self.model:
            if model.name == name:
                return model
        known = ", ".join(model.name for model in self.model)
        raise ModelUnknown(f"there is no model called {name}; known models: {known}")


def load_manifest() -> Manifest:
    """Read the manifest that ships with this version."""
    text = resources.files("models").joinpath("manifest.toml").read_text(encoding="utf-8")
    return Manifest.model_validate(tomllib.loads(text))


def models_folder(environ: Mapping[str, str] = os.environ, platform: str = sys.platform) -> Path:
    """Where models are installed: `TONGTANG_MODELS`, or the platform's place for a user's data."""
    named = environ.get(FOLDER_VARIABLE, "")
    if named:
        return Path(named)
    if platform == "win32":
        base = Path(environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    else:
        base = Path(environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return base / "tongtang" / "models"
