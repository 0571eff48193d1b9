"""Small TensorFlow.js graphs, and what TensorFlow would make of them, in plain NumPy."""

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np


def text(words: str) -> str:
    return base64.b64encode(words.encode()).decode()


def convolution(name: str, inputs: list[str], stride: int, fused: list[str], kind: str = "_FusedConv2D") -> dict:
    attr: dict[str, Any] = {
        "strides": {"list": {"i": ["1", str(stride), str(stride), "1"]}},
        "dilations": {"list": {"i": ["1", "1", "1", "1"]}},
        "padding": {"s": text("SAME")},
        "data_format": {"s": text("NHWC")},
    }
    if fused:
        attr["fused_ops"] = {"list": {"s": [text(one) for one in fused]}}
    return {"name": name, "op": kind, "input": inputs, "attr": attr}


class Graph:
    """Collects nodes and weights, and writes both files."""

    def __init__(self) -> None:
        self.nodes: list[dict] = [{"name": "input", "op": "Placeholder"}]
        self.weights: list[dict] = []
        self.raw = b""

    def weight(self, name: str, values: np.ndarray, stored: str = "float16") -> np.ndarray:
        """Stores a weight; returns it as it will be read."""
        kept = values.astype(stored)
        told: dict[str, Any] = {"name": name, "shape": list(values.shape), "dtype": "float32"}
        if stored == "float16":
            told["quantization"] = {"dtype": "float16", "original_dtype": "float32"}
        elif stored == "int32":
            told["dtype"] = "int32"
        self.weights.append(told)
        self.nodes.append({"name": name, "op": "Const"})
        self.raw += kept.tobytes()
        return kept.astype(np.float32 if stored == "float16" else stored)

    def write(self, folder: Path) -> Path:
        source = folder / "tiny.json"
        (folder / "tiny.bin").write_bytes(self.raw)
        topology = {"node": self.nodes}
        manifest = [{"paths": ["tiny.bin"], "weights": self.weights}]
        graph = {"format": "graph-model", "modelTopology": topology, "weightsManifest": manifest}
        source.write_text(json.dumps(graph))
        return source


def padded(picture: np.ndarray, kernel: int, stride: int) -> np.ndarray:
    """TensorFlow's "SAME": as few zeros as it takes, the odd one behind."""
    sides = []
    for size in picture.shape[:2]:
        total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
        sides.append((total // 2, total - total // 2))
    return np.pad(picture, [*sides, (0, 0)])


def convolved(picture: np.ndarray, weights: np.ndarray, stride: int) -> np.ndarray:
    """(rows, columns, in) with (high, wide, in, out)."""
    high, wide = weights.shape[:2]
    given = padded(picture, high, stride)
    rows, columns = (-(-size // stride) for size in picture.shape[:2])
    out = np.zeros((rows, columns, weights.shape[3]))
    for row in range(rows):
        for column in range(columns):
            window = given[row * stride : row * stride + high, column * stride : column * stride + wide]
            out[row, column] = np.tensordot(window, weights, 3)
    return out


def depthwise(picture: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(rows, columns, channels) with (high, wide, channels, 1)."""
    channels = picture.shape[2]
    each = [convolved(picture[..., [one]], weights[:, :, [one]], 1) for one in range(channels)]
    return np.concatenate(each, axis=2)


def doubled(picture: np.ndarray) -> np.ndarray:
    """Bilinear, by pixel centres, to twice the size."""
    for axis in (0, 1):
        size = picture.shape[axis]
        at = np.clip((np.arange(2 * size) + 0.5) / 2 - 0.5, 0, size - 1)
        low = np.floor(at).astype(int)
        high = np.minimum(low + 1, size - 1)
        share = (at - low).reshape([-1 if one == axis else 1 for one in range(3)])
        picture = np.take(picture, low, axis) * (1 - share) + np.take(picture, high, axis) * share
    return picture
