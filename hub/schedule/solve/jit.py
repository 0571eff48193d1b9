"""Compiling functions once for all runs: where the compiled code lies, and when it is made anew.

Nothing is compiled at import, but where a function is first called with arguments of new types. The code is kept
outside of the package, which may be read-only: where NUMBA_CACHE_DIR says, otherwise in the user's cache folder
(XDG_CACHE_HOME, LOCALAPPDATA, ~/.cache), in `tongtang/compiled`. Where neither can be written to, every run compiles.
"""

import functools
import hashlib
import logging
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar, cast

import numba
import numba.core.config

Taken = ParamSpec("Taken")
Given = TypeVar("Given")

_log = logging.getLogger(__name__)


def jitted(function: Callable[Taken, Given]) -> Callable[Taken, Given]:
    """Have a function compiled where it is first called, and its code kept for the next run.

    A compiled function holds the code of those that it calls, and numba looks only at the file of the function
    itself. So the folder is named after all that is `jitted` beside the function and beside the engine: an edit in any
    of those files compiles anew.

    The function must be one of a module, not one made at run time: such a one would be compiled in every run.

    Compiled code counts no references (`_nrt=False`): counting them for each array of a model, at each call, made the
    moves of course timetabling six times slower. So a function neither makes nor returns arrays (it would not compile);
    it changes those that it is handed.
    """
    folder = _kept_in(Path(function.__code__.co_filename).resolve().parent)
    if folder is None:
        return cast("Callable[Taken, Given]", numba.njit(_nrt=False)(function))
    said = numba.core.config.CACHE_DIR
    numba.core.config.CACHE_DIR = str(folder)
    try:
        return cast("Callable[Taken, Given]", numba.njit(cache=True, _nrt=False)(function))
    finally:
        numba.core.config.CACHE_DIR = said


def cache_folder() -> Path | None:
    """The folder in which compiled code is kept; None where none is known."""
    if numba.core.config.CACHE_DIR:
        return Path(numba.core.config.CACHE_DIR)
    for variable in ("XDG_CACHE_HOME", "LOCALAPPDATA"):
        if os.environ.get(variable):
            return Path(os.environ[variable]) / "tongtang" / "compiled"
    try:
        return Path.home() / ".cache" / "tongtang" / "compiled"
    except RuntimeError:
        return None


@functools.cache
def _kept_in(sources: Path) -> Path | None:
    """Where the code of one folder's functions is kept; None where it cannot be."""
    found = cache_folder()
    if found is None:
        return None
    folder = found / _named_after({sources, Path(__file__).resolve().parent})
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        _log.warning("compiled code cannot be kept in %s (%s): every run compiles anew", found, error.strerror)
        return None
    return folder


def _named_after(folders: set[Path]) -> str:
    digest = hashlib.sha256()
    for folder in sorted(folders):
        for file in sorted(folder.glob("*.py")):
            source = file.read_bytes()
            if b"jitted" in source:
                digest.update(f"{folder.name}/{file.name}\0".encode() + source)
    return digest.hexdigest()[:16]
