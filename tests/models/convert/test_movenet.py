import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

from models.convert.movenet import convert, onnx_model, read_weights
from models.manifest import load_manifest
from tests.models.graphs import Graph, convolution, convolved, depthwise, doubled

RANDOM = np.random.default_rng(3)


def tiny(folder: Path) -> tuple[dict, dict[str, np.ndarray]]:
    """A graph with every operation that the real one has between picture and heads."""
    graph = Graph()
    kept = {
        "mean": graph.weight("mean", np.asarray([[[[3, 5, 7]]]])),
        "share": graph.weight("share", np.asarray([[[[0.5, 0.25, 0.125]]]])),
        "one": graph.weight("one", np.asarray(1.0)),
        "wide": graph.weight("wide", RANDOM.normal(0, 0.4, (3, 3, 3, 4))),
        "wide_bias": graph.weight("wide_bias", RANDOM.normal(0, 1, 4)),
        "deep": graph.weight("deep", RANDOM.normal(0, 0.4, (3, 3, 4, 1))),
        "deep_bias": graph.weight("deep_bias", RANDOM.normal(0, 1, 4)),
        "plain": graph.weight("plain", RANDOM.normal(0, 0.4, (3, 3, 4, 1))),
        "side": graph.weight("side", RANDOM.normal(0, 0.4, (1, 1, 3, 4))),
        "side_bias": graph.weight("side_bias", RANDOM.normal(0, 1, 4)),
        "twice": graph.weight("twice", np.asarray([2, 2]), "int32"),
    }
    centres = {"align_corners": {"b": False}, "half_pixel_centers": {"b": True}}
    graph.nodes += [
        {"name": "cast", "op": "Cast", "input": ["input"]},
        {"name": "sub", "op": "Sub", "input": ["cast", "mean"]},
        {"name": "mul", "op": "Mul", "input": ["sub", "share"]},
        {"name": "picture", "op": "Sub", "input": ["mul", "one"]},
        convolution("conv", ["picture", "wide", "wide_bias"], 2, ["BiasAdd", "Relu6"]),
        convolution("each", ["conv", "deep", "deep_bias"], 1, ["BiasAdd", "Relu"], "FusedDepthwiseConv2dNative"),
        convolution("bare", ["each", "plain"], 1, [], "DepthwiseConv2dNative"),
        {"name": "shape", "op": "Shape", "input": ["bare"]},
        {"name": "double", "op": "Mul", "input": ["shape", "twice"]},
        {"name": "large", "op": "ResizeBilinear", "input": ["bare", "double"], "attr": centres},
        convolution("other", ["picture", "side", "side_bias"], 1, ["BiasAdd"]),
        {"name": "sum", "op": "AddV2", "input": ["large", "other"]},
    ]
    return json.loads(graph.write(folder).read_text()), kept


def expected(picture: np.ndarray, kept: dict[str, np.ndarray]) -> np.ndarray:
    given = (picture - kept["mean"][0]) * kept["share"][0] - 1
    one = np.clip(convolved(given, kept["wide"], 2) + kept["wide_bias"], 0, 6)
    one = np.maximum(depthwise(one, kept["deep"]) + kept["deep_bias"], 0)
    large = doubled(depthwise(one, kept["plain"]))
    return large + convolved(given, kept["side"], 1) + kept["side_bias"]


def run(model: bytes, picture: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    (out,) = session.run(None, {"image": picture[None]})
    return out[0].transpose(1, 2, 0)


@pytest.mark.parametrize("size", [(32, 64), (64, 32)])
def test_the_onnx_graph_computes_what_tensorflow_would(tmp_path: Path, size: tuple[int, int]):
    graph, kept = tiny(tmp_path)
    picture = RANDOM.integers(0, 40, (*size, 3), np.uint8)
    found = run(onnx_model(graph, tmp_path, {"out": "sum"}), picture)
    assert found.shape == (*size, 4)
    assert np.abs(found - expected(picture.astype(float), kept)).max() < 1e-3


def test_the_same_graph_gives_the_same_bytes(tmp_path: Path):
    graph, _ = tiny(tmp_path)
    assert onnx_model(graph, tmp_path, {"out": "sum"}) == onnx_model(graph, tmp_path, {"out": "sum"})


def test_only_what_the_heads_need_is_written(tmp_path: Path):
    graph, _ = tiny(tmp_path)
    graph["modelTopology"]["node"].append({"name": "six", "op": "TopKV2", "input": ["sum"]})
    model = onnx.load_from_string(onnx_model(graph, tmp_path, {"out": "other"}))
    assert [node.op_type for node in model.graph.node].count("Conv") == 1
    assert {one.name for one in model.graph.initializer} == {"mean", "share", "one", "side", "side_bias"}


def test_an_operation_that_is_not_known_is_named(tmp_path: Path):
    graph, _ = tiny(tmp_path)
    graph["modelTopology"]["node"].append({"name": "six", "op": "TopKV2", "input": ["sum"]})
    with pytest.raises(ValueError, match="six is a TopKV2, which this cannot write as ONNX"):
        onnx_model(graph, tmp_path, {"out": "six"})


def test_a_head_that_is_not_there_is_named(tmp_path: Path):
    graph, _ = tiny(tmp_path)
    with pytest.raises(ValueError, match="no node elsewhere"):
        onnx_model(graph, tmp_path, {"out": "elsewhere"})


def test_a_convolution_that_would_be_written_wrongly_is_refused(tmp_path: Path):
    graph, _ = tiny(tmp_path)
    conv = next(node for node in graph["modelTopology"]["node"] if node["name"] == "conv")
    conv["attr"]["dilations"]["list"]["i"][1] = "2"
    with pytest.raises(ValueError, match="conv is dilated"):
        onnx_model(graph, tmp_path, {"out": "sum"})


@pytest.mark.parametrize("change,words", [(b"", "end within twice"), (b"12345", "belong to nothing")])
def test_weights_that_do_not_fit_are_refused(tmp_path: Path, change: bytes, words: str):
    graph, _ = tiny(tmp_path)
    raw = (tmp_path / "tiny.bin").read_bytes()
    (tmp_path / "tiny.bin").write_bytes(raw + change if change else raw[:-4])
    with pytest.raises(ValueError, match=words):
        read_weights(graph["weightsManifest"], tmp_path)


def test_weights_are_read_from_the_folder_alone(tmp_path: Path):
    graph, _ = tiny(tmp_path)
    graph["weightsManifest"][0]["paths"] = ["../../tiny.bin"]
    assert "wide" in read_weights(graph["weightsManifest"], tmp_path)


def test_another_format_is_refused(tmp_path: Path):
    (tmp_path / "layers.json").write_text('{"format": "layers-model"}')
    with pytest.raises(ValueError, match=r"not a graph of TensorFlow\.js"):
        convert(tmp_path / "layers.json", tmp_path / "out.onnx")
    assert not (tmp_path / "out.onnx").exists()


@pytest.mark.models("movenet-multipose")
def test_the_installed_model_is_the_one_that_the_manifest_names(models: Path):
    model = load_manifest().find("movenet-multipose")
    content = (models / model.file).read_bytes()
    assert hashlib.sha256(content).hexdigest() == model.sha256
    graph = onnx.load_from_string(content).graph
    assert [one.name for one in graph.output] == ["center", "regression", "offset", "heat", "size", "shift"]
    assert {node.op_type for node in graph.node} <= {
        "Transpose", "Cast", "Sub", "Mul", "Add", "Conv", "Clip", "Relu", "Resize", "Identity",
    }  # fmt: skip
