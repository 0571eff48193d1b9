"""A net with YuNet's inputs and outputs and no weights worth the name: it sees a face where the picture is white."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SIDES = (8, 16, 32)


def write_yunet(path: Path, size: tuple[int, int] | None = (640, 640), *, without: str = "") -> Path:
    """Write it to `path`.

    It finds the faces in the cells of 16 pixels: `cls` and `obj` are the mean of a cell's blue channel over 255, each
    box is 2 x 3 cells large, with its middle in the cell's.

    Args:
        path: where to.
        size: width and height that the graph declares; None: any.
        without: an output to leave out.
    """
    wide, high = size or ("width", "height")
    nodes = [helper.make_node("Split", ["input"], ["blue", "green", "red"], axis=1, num_outputs=3)]
    stored = [numpy_helper.from_array(np.asarray([1, -1, 1], np.int64), "one")]
    stored.append(numpy_helper.from_array(np.asarray(1 / 255, np.float32), "scale"))
    stored.append(numpy_helper.from_array(np.asarray(0, np.float32), "zero"))
    outputs = []
    for side in SIDES:
        kernel = {"kernel_shape": [side, side], "strides": [side, side]}
        nodes.append(helper.make_node("AveragePool", ["blue"], [f"mean_{side}"], **kernel))
        nodes.append(helper.make_node("Reshape", [f"mean_{side}", "one"], [f"flat_{side}"]))
        nodes.append(helper.make_node("Mul", [f"flat_{side}", "scale" if side == 16 else "zero"], [f"cls_{side}"]))
        nodes.append(helper.make_node("Identity", [f"cls_{side}"], [f"obj_{side}"]))
        box = np.asarray([0.5, 0.5, np.log(2), np.log(3)], np.float32).reshape(1, 1, 4)
        stored.append(numpy_helper.from_array(box, f"box_{side}"))
        nodes.append(helper.make_node("Mul", [f"flat_{side}", "zero"], [f"none_{side}"]))
        nodes.append(helper.make_node("Add", [f"none_{side}", f"box_{side}"], [f"bbox_{side}"]))
        cells = wide // side * (high // side) if size else f"cells_{side}"
        outputs += [(f"cls_{side}", [1, cells, 1]), (f"obj_{side}", [1, cells, 1]), (f"bbox_{side}", [1, cells, 4])]
    floats = TensorProto.FLOAT
    graph = helper.make_graph(
        nodes,
        "yunet",
        [helper.make_tensor_value_info("input", floats, [1, 3, high, wide])],
        [helper.make_tensor_value_info(name, floats, shape) for name, shape in outputs if name != without],
        stored,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    path.write_bytes(model.SerializeToString())
    onnx.checker.check_model(str(path))
    return path
