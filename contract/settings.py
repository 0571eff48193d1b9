"""Settings files: one TOML file per role, unknown keys refused with the nearest right name."""

import difflib
import tomllib
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

T = TypeVar("T", bound="Settings")


class SettingsRefused(Exception):
    """A settings file that cannot be used; the message has one line for each thing to mend."""


class Settings(BaseModel):
    """Base of every table of a settings file."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def load(path: Path, model: type[T]) -> T:
    """Read and validate a settings file; relative paths in it are the model's business.

    Raises:
        SettingsRefused: the file is missing, is not TOML, or has keys or values that are wrong.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise SettingsRefused(f"cannot read the settings {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SettingsRefused(f"{path} is not UTF-8 text; save it as UTF-8") from error
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsRefused(f"{path} is not TOML: {error}") from error
    try:
        return model.model_validate(data)
    except ValidationError as error:
        lines = "\n".join(f"  {line}" for line in what_to_mend(error, model))
        raise SettingsRefused(f"{path} cannot be used:\n{lines}") from error


def what_to_mend(error: ValidationError, model: type[BaseModel]) -> list[str]:
    """One line for each thing that keeps data from being a `model`; an unknown key with the nearest right one."""
    return [_line(one, model) for one in error.errors()]


def _line(error: Any, model: type[BaseModel]) -> str:
    where = ".".join(str(step) for step in error["loc"])
    if error["type"] != "extra_forbidden":
        return f"{where}: {error['msg'][0].lower()}{error['msg'][1:]}"
    *parents, wrong = error["loc"]
    names = _names(model, [str(step) for step in parents])
    near = difflib.get_close_matches(str(wrong), names, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]}?" if near else f"known here: {', '.join(names) or 'none'}"
    return f"{where}: there is no such setting; {hint}"


def _names(model: type[BaseModel], path: list[str]) -> list[str]:
    for step in path:
        field = model.model_fields.get(step)
        if field is None:
            break
        inner = [field.annotation, *get_args(field.annotation)]
        found = next((one for one in inner if isinstance(one, type) and issubclass(one, BaseModel)), None)
        if found is None:
            break
        model = found
    return sorted(model.model_fields)
