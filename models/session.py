"""onnxruntime as we use it: one thread, no spinning, no words, and the right file or none."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import onnxruntime

from models.manifest import Model, ModelsTrouble
from models.shapes import with_shapes
from models.verify import check

SEVERITY_ERROR = 3
"""onnxruntime's log level: its warnings speak of the model's making, not of the classroom."""

INSTALL_HINT = "run: tongtang models install"


class ModelUnusable(ModelsTrouble):
    """A model whose file is missing, corrupt or refused; the message says what to run."""


def read_model(model: Model, folder: Path) -> bytes:
    """Read and check the model's file.

    Raises:
        ModelUnusable: it is missing, cannot be read, or is not the file that the manifest names.
    """
    path = folder / model.file
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise ModelUnusable(f"the model {model.name} is not installed in {folder}; {INSTALL_HINT}") from error
    except OSError as error:
        raise ModelUnusable(f"the model file {path} cannot be read: {error.strerror}; {INSTALL_HINT}") from error
    wrong = check(model, content)
    if wrong:
        raise ModelUnusable(f"the model file {path} is corrupt: {wrong}; {INSTALL_HINT}")
    return content


@lru_cache
def _share_memory() -> None:
    """Let all models of this process work in one memory: they run in turn, and a picture's layers are 50 MB and more.

    The observing process took 365 instead of 440 MiB at its peak that way, at the same processor time.
    """
    cpu = onnxruntime.OrtMemoryInfo(
        "Cpu", onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, onnxruntime.OrtMemType.DEFAULT
    )
    onnxruntime.create_and_register_allocator(cpu, None)


def open_session(
    model: Model, folder: Path, shapes: Mapping[str, tuple[int, ...]] | None = None
) -> "onnxruntime.InferenceSession":
    """Open a model for one thread of one process.

    More threads gave nothing for nets of this size on two cores and would take time from the
    encoders; spinning threads burn a core while they wait.

    Args:
        model: the manifest's entry.
        folder: where models are installed.
        shapes: other shapes for named inputs and outputs (models.shapes).

    Raises:
        ModelUnusable: with what to run.
    """
    try:
        return session_of(read_model(model, folder), model.name, shapes)
    except Refused as error:
        raise ModelUnusable(f"{error}; {INSTALL_HINT}") from error


class Refused(ModelUnusable):
    """onnxruntime does not run what is in the file."""


def session_of(
    content: bytes, name: str, shapes: Mapping[str, tuple[int, ...]] | None = None
) -> "onnxruntime.InferenceSession":
    """Open what was read already, for one thread of one process; `name` is for the words of a trouble.

    Raises:
        Refused: it is no model, or not one that onnxruntime can run.
    """
    onnxruntime.set_default_logger_severity(SEVERITY_ERROR)
    onnxruntime.disable_telemetry_events()
    options: Any = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = SEVERITY_ERROR
    _share_memory()
    options.add_session_config_entry("session.use_env_allocators", "1")
    options.enable_mem_pattern = False  # one block for a whole run could not be used by another model's
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    try:
        shaped = with_shapes(content, shapes) if shapes else content
        return onnxruntime.InferenceSession(shaped, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises its own types, which it does not publish
        raise Refused(f"onnxruntime cannot run the model {name}: {error}") from error
