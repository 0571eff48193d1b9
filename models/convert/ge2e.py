"""GE2E speaker encoder: from PyTorch's checkpoint to ONNX, without PyTorch.

The net: three LSTM layers of 256 over 40 mel bands; the last layer's last state through a linear
layer and a ReLU, scaled to length 1. Source: Wan et al., "Generalized End-to-End Loss for Speaker
Verification" (ICASSP 2018); layer names and order of the checkpoint in Resemblyzer's `voice_encoder.py`.

The checkpoint is PyTorch's older format: five pickles (magic number, version, machine, objects,
storage keys), then for each key the number of elements and the raw numbers.
Source: `torch/serialization.py`, `_legacy_save`. The pickles may name three things and nothing else.
"""

import collections
import math
import pickle
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

MAGIC: Final = 0x1950A86A20F9469CFC6C
LAYERS: Final = 3
HIDDEN: Final = 256
BANDS: Final = 40
OPSET: Final = 17
IR_VERSION: Final = 8
_COUNT: Final = struct.Struct("<q")
_FLOAT: Final = np.dtype("<f4")

FloatArray = NDArray[np.float32]


def convert(source: Path, target: Path) -> None:
    """Write the encoder as ONNX: input `mel` (windows, frames, 40), output `voice` (windows, 256).

    Raises:
        ValueError: `source` is not such a checkpoint.
        OSError: a file cannot be read or written.
    """
    with source.open("rb") as stream:
        weights = read_checkpoint(stream)
    target.write_bytes(_model(weights).SerializeToString(deterministic=True))


@dataclass(frozen=True, slots=True)
class _View:
    """A tensor before its numbers are read: which storage, from where on, in which shape."""

    storage: str
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class _Checkpoint(pickle.Unpickler):
    """Reads tensors as views of storages; refuses every name that a checkpoint of this net does not need."""

    def find_class(self, module: str, name: str) -> Any:
        """Only what the file may name."""
        known: dict[tuple[str, str], Any] = {
            ("collections", "OrderedDict"): collections.OrderedDict,
            ("torch", "FloatStorage"): "FloatStorage",
            ("torch._utils", "_rebuild_tensor_v2"): _view,
        }
        if (module, name) not in known:
            raise ValueError(f"the checkpoint names {module}.{name}, which has no place in it")
        return known[module, name]

    def persistent_load(self, pid: Any) -> str:
        """A storage is told as ("storage", type, key, device, elements, view)."""
        if len(pid) < 3 or pid[0] != "storage" or pid[1] != "FloatStorage":
            raise ValueError("the checkpoint holds something else than storages of 32-bit floats")
        return str(pid[2])


def _view(storage: str, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: object) -> _View:
    return _View(storage, offset, tuple(shape), tuple(strides))


def read_checkpoint(stream: BinaryIO) -> dict[str, FloatArray]:
    """The encoder's weights by name, from a checkpoint in PyTorch's older format.

    Raises:
        ValueError: it is not one, or holds what it should not.
    """
    try:
        magic, _version, machine, objects, keys = (_Checkpoint(stream).load() for _ in range(5))
        if magic != MAGIC or not machine["little_endian"]:
            raise ValueError("not a checkpoint of PyTorch's older format, little-endian")
        storages = {}
        for key in keys:
            (count,) = _COUNT.unpack(stream.read(_COUNT.size))
            storages[key] = np.frombuffer(stream.read(count * _FLOAT.itemsize), _FLOAT, count)
        return {name: _numbers(view, storages) for name, view in objects["model_state"].items()}
    except (pickle.UnpicklingError, EOFError, struct.error, KeyError, TypeError, AttributeError, IndexError) as error:
        raise ValueError(f"not a checkpoint of PyTorch's older format: {error}") from error


def _numbers(view: _View, storages: Mapping[str, FloatArray]) -> FloatArray:
    count = math.prod(view.shape)
    contiguous = tuple(math.prod(view.shape[axis + 1 :]) for axis in range(len(view.shape)))
    if view.strides != contiguous or view.offset + count > len(storages[view.storage]):
        raise ValueError("a tensor does not lie in one piece within its storage")
    return storages[view.storage][view.offset : view.offset + count].reshape(view.shape)


def _gates(weight: FloatArray) -> FloatArray:
    """PyTorch's order of the gates (input, forget, cell, output) as ONNX wants it (input, output, forget, cell)."""
    entry, forget, cell, leave = np.split(weight, 4)
    return np.concatenate([entry, leave, forget, cell])


def _model(weights: Mapping[str, FloatArray]) -> onnx.ModelProto:
    constants = {
        "one": np.array([1], np.int64),
        "zero": np.array([0], np.int64),
        "linear.weight": weights["linear.weight"],
        "linear.bias": weights["linear.bias"],
    }
    nodes = [helper.make_node("Transpose", ["mel"], ["input0"], perm=[1, 0, 2])]
    for layer in range(LAYERS):
        columns = HIDDEN if layer else BANDS
        names = [f"lstm.{kind}_{way}_l{layer}" for kind in ("weight", "bias") for way in ("ih", "hh")]
        shapes = [(4 * HIDDEN, columns), (4 * HIDDEN, HIDDEN), (4 * HIDDEN,), (4 * HIDDEN,)]
        for name, shape in zip(names, shapes, strict=True):
            if weights[name].shape != shape:
                raise ValueError(f"{name} has the shape {weights[name].shape} instead of {shape}")
        w, r, b = f"w{layer}", f"r{layer}", f"b{layer}"
        constants[w] = _gates(weights[names[0]])[None]
        constants[r] = _gates(weights[names[1]])[None]
        constants[b] = np.concatenate([_gates(weights[names[2]]), _gates(weights[names[3]])])[None]
        outputs = [f"every{layer}", f"last{layer}"]
        nodes.append(helper.make_node("LSTM", [f"input{layer}", w, r, b], outputs, hidden_size=HIDDEN))
        if layer < LAYERS - 1:  # (frames, directions, windows, hidden) without the one direction
            nodes.append(helper.make_node("Squeeze", [f"every{layer}", "one"], [f"input{layer + 1}"]))
    nodes += [
        helper.make_node("Squeeze", [f"last{LAYERS - 1}", "zero"], ["state"]),
        helper.make_node("Gemm", ["state", "linear.weight", "linear.bias"], ["raw"], transB=1),
        helper.make_node("Relu", ["raw"], ["positive"]),
        helper.make_node("LpNormalization", ["positive"], ["voice"], axis=1, p=2),
    ]
    graph = helper.make_graph(
        nodes,
        "ge2e",
        [helper.make_tensor_value_info("mel", TensorProto.FLOAT, ["windows", "frames", BANDS])],
        [helper.make_tensor_value_info("voice", TensorProto.FLOAT, ["windows", HIDDEN])],
        [numpy_helper.from_array(np.ascontiguousarray(array), name) for name, array in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
