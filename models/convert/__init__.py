"""Writes models that packages ship in other formats as ONNX, once, when they are installed.

Each module has `convert(source, target)`: it needs `onnx` and NumPy, never the framework that the
model was made with, and gives the same bytes each time, so that the result has a SHA-256 of its own.
"""

from importlib import import_module
from pathlib import Path

from models.manifest import ModelsTrouble


class ConvertFailed(ModelsTrouble):
    """A file could not be written as ONNX; the message says why."""


def convert(name: str, source: Path, target: Path) -> None:
    """Write `source` as ONNX with the converter called `name` (the manifest's `convert`).

    Args:
        name: of a module of this package.
        source: the file that the manifest's `member` names; those of `beside` lie in the same folder.
        target: where the ONNX file is written.

    Raises:
        ConvertFailed: there is no such converter, `onnx` is not installed, or the file is not what it expects.
    """
    try:
        module = import_module(f"models.convert.{name}")
    except ModuleNotFoundError as error:
        if error.name == "onnx":
            raise ConvertFailed("converting needs the package onnx; run: pip install tongtang[agent]") from error
        raise ConvertFailed(f"this version has no converter called {name}") from error
    try:
        module.convert(source, target)
    except (ValueError, KeyError, OSError) as error:
        raise ConvertFailed(f"{source.name} is not what the converter {name} expects: {error}") from error
