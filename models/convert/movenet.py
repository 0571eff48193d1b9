"""MoveNet multipose: from TensorFlow.js to ONNX, without TensorFlow.

The package holds a graph (`*.json`: nodes with operation, inputs and attributes, in TensorFlow's words)
and its weights (`*.bin`: one tensor behind the other, 16-bit floats). What the graph does after the six
outputs of its heads picks at most six people; it is left out, and `models.movenet` does it for any number.
Between the picture and the heads only ten kinds of operation occur; each is written as its ONNX equal.

Source: the graph file itself; TensorFlow.js `GraphModel` format (weights manifest with quantization);
MoveNet, Google: https://www.kaggle.com/models/google/movenet
"""

import base64
import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

OPSET: Final = 17
IR_VERSION: Final = 8
STRIDE: Final = 32
"""Pixels; sides that are multiples of it make "SAME" padding the same at every size."""

_HEAD: Final = "StatefulPartitionedCall/"
HEADS: Final[Mapping[str, str]] = {
    "center": _HEAD + "center_0/conv2d_4/BiasAdd",
    "regression": _HEAD + "kpt_regress_0/conv2d_8/BiasAdd",
    "offset": _HEAD + "kpt_offset_0/conv2d_9/BiasAdd",
    "heat": _HEAD + "kpt_heatmap_0/conv2d_7/BiasAdd",
    "size": _HEAD + "box_scale_0/conv2d_5/BiasAdd",
    "shift": _HEAD + "box_offset_0/conv2d_6/BiasAdd",
}
"""Names of our outputs, and the nodes that they are; their meaning stands in models.movenet."""

STORED: Final = ("float32", "int32", "float16")
"""How weights may be stored; the last one widened when they are read."""

Array = NDArray[Any]
Node = Mapping[str, Any]


def convert(source: Path, target: Path) -> None:
    """Write the graph as ONNX, from the picture to the heads.

    Input `image`: RGB, uint8, shape (1, height, width, 3), sides multiples of 32. Outputs: those of `HEADS`,
    float32, shape (1, channels, height / 4, width / 4). The same bytes each time.

    Args:
        source: the graph's `.json`; the weights lie beside it under the names that it tells.
        target: the ONNX file.

    Raises:
        ValueError: it is not such a graph, or holds an operation that this does not know.
        OSError: a file cannot be read or written.
    """
    target.write_bytes(onnx_model(json.loads(source.read_text(encoding="utf-8")), source.parent, HEADS))


def onnx_model(graph: Mapping[str, Any], folder: Path, heads: Mapping[str, str]) -> bytes:
    """The same for a graph that was read already; `heads` gives each output's name and node.

    Raises:
        ValueError: as `convert`.
        OSError: a file of weights cannot be read.
    """
    if graph.get("format") != "graph-model":
        raise ValueError("not a graph of TensorFlow.js")
    nodes = {node["name"]: node for node in graph["modelTopology"]["node"]}
    writer = _Writer(nodes, read_weights(graph["weightsManifest"], folder))
    for name, node in heads.items():
        writer.head(name, node)
    model = helper.make_model(
        writer.graph(), producer_name="tongtang", opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION
    )
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString(deterministic=True))


def read_weights(manifest: list[dict[str, Any]], folder: Path) -> dict[str, Array]:
    """Tensors by name: 32-bit floats and integers; what was stored as 16-bit floats is widened.

    Raises:
        ValueError: a file is shorter or longer than its tensors, or holds another type.
    """
    kinds: dict[str, np.dtype[Any]] = {name: np.dtype(name).newbyteorder("<") for name in STORED}
    out: dict[str, Array] = {}
    for group in manifest:
        raw = b"".join((folder / Path(path).name).read_bytes() for path in group["paths"])
        at = 0
        for weight in group["weights"]:
            stored = weight.get("quantization", weight)["dtype"]
            if stored not in kinds or weight["dtype"] not in {"float32", "int32"}:
                raise ValueError(f"the weight {weight['name']} is stored as {stored}")
            count = math.prod(weight["shape"])
            size = count * kinds[stored].itemsize
            if at + size > len(raw):
                raise ValueError(f"the weights end within {weight['name']}")
            values = np.frombuffer(raw, kinds[stored], count, at).reshape(weight["shape"])
            out[weight["name"]] = values.astype(kinds[weight["dtype"]])
            at += size
        if at != len(raw):
            raise ValueError(f"{len(raw) - at} bytes of weights belong to nothing")
    return out


class _Writer:
    """Writes the nodes that the heads need, each after those it needs itself; pictures lie channels first."""

    def __init__(self, nodes: Mapping[str, Node], weights: Mapping[str, Array]) -> None:
        self._nodes = nodes
        self._weights = weights
        self._out: list[Any] = []
        self._stored: dict[str, Any] = {}
        self._written: dict[str, str] = {}
        self._inputs: list[Any] = []
        self._outputs: list[Any] = []
        self._kinds: dict[str, Callable[[Node], str]] = {
            "Placeholder": self._placeholder,
            "Cast": self._cast,
            "Sub": lambda node: self._binary(node, "Sub"),
            "Mul": lambda node: self._binary(node, "Mul"),
            "AddV2": lambda node: self._binary(node, "Add"),
            "_FusedConv2D": self._convolution,
            "FusedDepthwiseConv2dNative": self._convolution,
            "DepthwiseConv2dNative": self._convolution,
            "ResizeBilinear": self._resize,
        }

    def head(self, name: str, node: str) -> None:
        """Write what ends in `node`, and call it `name`."""
        self._emit("Identity", [self._tensor(node)], name)
        shape = [1, f"{name}_channels", "rows", "columns"]
        self._outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))

    def graph(self) -> Any:
        """The graph as far as it was written."""
        return helper.make_graph(self._out, "heads", self._inputs, self._outputs, list(self._stored.values()))

    def _tensor(self, name: str) -> str:
        """The ONNX name of a node's output; what it needs is written first."""
        if name not in self._written:
            node = self._nodes.get(name)
            if node is None:
                raise ValueError(f"the graph has no node {name}")
            if node["op"] not in self._kinds:
                raise ValueError(f"{name} is a {node['op']}, which this cannot write as ONNX")
            self._written[name] = self._kinds[node["op"]](node)
        return self._written[name]

    def _emit(self, kind: str, inputs: list[str], name: str, **attributes: object) -> str:
        self._out.append(helper.make_node(kind, inputs, [name], name=f"n{len(self._out)}", **attributes))
        return name

    def _store(self, name: str, values: Array) -> str:
        if name not in self._stored:
            self._stored[name] = numpy_helper.from_array(np.ascontiguousarray(values), name)
        return name

    def _placeholder(self, _node: Node) -> str:
        shape = [1, "height", "width", 3]
        self._inputs.append(helper.make_tensor_value_info("image", TensorProto.UINT8, shape))
        return self._emit("Transpose", ["image"], "channels_first", perm=[0, 3, 1, 2])

    def _cast(self, node: Node) -> str:
        return self._emit("Cast", [self._tensor(node["input"][0])], node["name"], to=TensorProto.FLOAT)

    def _binary(self, node: Node, kind: str) -> str:
        return self._emit(kind, [self._operand(one) for one in node["input"]], node["name"])

    def _operand(self, name: str) -> str:
        if name not in self._weights:
            return self._tensor(name)
        values = self._weights[name]
        if values.ndim not in {0, 4}:
            raise ValueError(f"{name} has {values.ndim} axes; only scalars and whole pictures can be combined")
        return self._store(name, values if values.ndim == 0 else values.transpose(0, 3, 1, 2))

    def _convolution(self, node: Node) -> str:
        """With its bias and activation, where it has them."""
        attr = node["attr"]
        weights = self._weights[node["input"][1]]  # (height, width, in, out), or (height, width, channels, times)
        high, wide, channels = weights.shape[:3]
        groups = 1
        if "Depthwise" in node["op"]:
            if weights.shape[3] != 1:
                raise ValueError(f"{node['name']} makes several channels of one")
            groups, weights = channels, weights.transpose(0, 1, 3, 2)
        strides = _integers(attr["strides"])[1:3]
        self._refuse_other_layouts(node, (high, wide))
        inputs = [self._tensor(node["input"][0]), self._store(node["input"][1], weights.transpose(3, 2, 0, 1))]
        fused = [_text(one) for one in attr.get("fused_ops", {}).get("list", {}).get("s", [])]
        if fused[:1] == ["BiasAdd"]:
            inputs.append(self._store(node["input"][2], self._weights[node["input"][2]]))
            fused = fused[1:]
        top, bottom = _padding(high, strides[0])
        left, right = _padding(wide, strides[1])
        out = self._emit(
            "Conv",
            inputs,
            node["name"],
            group=groups,
            kernel_shape=[high, wide],
            strides=strides,
            pads=[top, left, bottom, right],
        )
        return self._activated(out, fused)

    @staticmethod
    def _refuse_other_layouts(node: Node, kernel: tuple[int, int]) -> None:
        attr = node["attr"]
        if set(_integers(attr["dilations"])) != {1} or _text(attr["data_format"]["s"]) != "NHWC":
            raise ValueError(f"{node['name']} is dilated or not channels last")
        if _text(attr["padding"]["s"]) != "SAME" and kernel != (1, 1):
            raise ValueError(f"{node['name']} is not padded")

    def _activated(self, name: str, fused: list[str]) -> str:
        if not fused:
            return name
        if fused == ["Relu"]:
            return self._emit("Relu", [name], f"{name}:relu")
        if fused == ["Relu6"]:
            least, most = (self._store(f"relu6/{value}", np.asarray(value, np.float32)) for value in (0, 6))
            return self._emit("Clip", [name, least, most], f"{name}:relu6")
        raise ValueError(f"{name} ends in {', '.join(fused)}, which this cannot write as ONNX")

    def _resize(self, node: Node) -> str:
        """To a multiple of its size: TensorFlow works the size out by shape, slice and product."""
        attr = node["attr"]
        if attr["align_corners"]["b"] or not attr["half_pixel_centers"]["b"]:
            raise ValueError(f"{node['name']} is not resized by pixel centres")
        product = self._nodes[node["input"][1]]
        factors = [self._weights[one] for one in product.get("input", []) if one in self._weights]
        if product["op"] != "Mul" or len(factors) != 1 or factors[0].shape != (2,):
            raise ValueError(f"{node['name']} is not resized to a multiple of its size")
        scales = self._store(f"{node['name']}:scales", np.asarray([1, 1, *factors[0]], np.float32))
        inputs = [self._tensor(node["input"][0]), "", scales]
        return self._emit("Resize", inputs, node["name"], mode="linear", coordinate_transformation_mode="half_pixel")


def _padding(kernel: int, stride: int) -> tuple[int, int]:
    """TensorFlow's "SAME" before and after, for a side that the stride divides."""
    total = max(kernel - stride, 0)
    return total // 2, total - total // 2


def _text(encoded: str) -> str:
    return base64.b64decode(encoded).decode()


def _integers(attribute: Mapping[str, Any]) -> list[int]:
    return [int(one) for one in attribute["list"]["i"]]
