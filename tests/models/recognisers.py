"""A tiny recogniser that really runs: it says 你 where sound is low and 好 where it is high. No weights of anybody."""

import hashlib
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper

TOKENS = "<blk> 0\n你 1\n好 2\n<unk> 3\n"
BANDS = 80
SIGNS = 4


def write_model(path: Path) -> None:
    """A CTC graph of the zipformer's form: each fourth frame of 80 bands, weighed to four signs."""
    weight = np.zeros((BANDS, SIGNS), np.float32)
    weight[:20, 1] = weight[60:, 2] = 1 / 20
    bias = np.array([-1, 0, 0, -99], np.float32)
    numbers = {"from": [0], "to": [2**40], "axis": [1], "step": [4], "three": 3, "four": 4}
    constants = [numpy_helper.from_array(np.array(value, np.int64), name) for name, value in numbers.items()]
    constants += [numpy_helper.from_array(weight, "weight"), numpy_helper.from_array(bias, "bias")]
    nodes = [
        helper.make_node("Slice", ["x", "from", "to", "axis", "step"], ["frames"]),
        helper.make_node("MatMul", ["frames", "weight"], ["weighed"]),
        helper.make_node("Add", ["weighed", "bias"], ["logits"]),
        helper.make_node("LogSoftmax", ["logits"], ["log_probs"], axis=-1),
        helper.make_node("Add", ["x_lens", "three"], ["padded"]),
        helper.make_node("Div", ["padded", "four"], ["log_probs_len"]),
    ]
    inputs = [
        helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", "T", BANDS]),
        helper.make_tensor_value_info("x_lens", TensorProto.INT64, ["N"]),
    ]
    outputs = [
        helper.make_tensor_value_info("log_probs", TensorProto.FLOAT, ["N", "U", SIGNS]),
        helper.make_tensor_value_info("log_probs_len", TensorProto.INT64, ["N"]),
    ]
    graph = helper.make_graph(nodes, "tiny", inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    for key, value in {"model_type": "zipformer2_ctc", "subsampling_factor": "4", "vocab_size": str(SIGNS)}.items():
        model.metadata_props.add(key=key, value=value)
    path.write_bytes(model.SerializeToString())


def write_recogniser(folder: Path, **other: object) -> Path:
    """The manifest of such a recogniser, beside its files; `other` replaces fields, None leaves one out."""
    folder.mkdir(parents=True, exist_ok=True)
    write_model(folder / "tiny.onnx")
    (folder / "tokens.txt").write_text(TOKENS, encoding="utf-8")
    fields: dict[str, object] = {
        "name": "tiny",
        "engine": "sherpa-onnx",
        "kind": "zipformer_ctc",
        "language": "zh",
        "memory_mb": 1000,
        "licence": "Apache-2.0",
    }
    lines = [f"{key} = {_toml(value)}" for key, value in (fields | other).items() if value is not None]
    for name, file in (("model", "tiny.onnx"), ("tokens", "tokens.txt")):
        content = (folder / file).read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        lines += [f"[files.{name}]", f'file = "{file}"', f'sha256 = "{digest}"', f"bytes = {len(content)}"]
    path = folder / "recogniser.toml"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def _toml(value: object) -> str:
    return str(value) if isinstance(value, int) else f'"{value}"'


def hum(hz: float, seconds: float, rate: int = 16_000) -> np.ndarray:
    """A tone, -1 to 1, shape (samples,)."""
    return (0.5 * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate)).astype(np.float32)
