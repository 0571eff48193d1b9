import collections
import hashlib
import pickle
import struct
import sys
import types
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from models.convert import ConvertFailed, convert
from models.convert.ge2e import BANDS, HIDDEN, LAYERS, MAGIC

RNG = np.random.default_rng(3)


class Storage:
    """Stands for a tensor's numbers while pickling."""

    def __init__(self, key: str, numbers: np.ndarray) -> None:
        self.key, self.numbers = key, numbers


class Tensor:
    def __init__(self, storage: Storage, offset: int, shape: tuple[int, ...]) -> None:
        self.told = (storage, offset, shape, tuple(int(np.prod(shape[axis + 1 :])) for axis in range(len(shape))))

    def __reduce__(self):
        return sys.modules["torch._utils"]._rebuild_tensor_v2, (*self.told, False, collections.OrderedDict())


@pytest.fixture
def torch(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """Just the names that a checkpoint of PyTorch's older format mentions."""
    names, inner = types.ModuleType("torch"), types.ModuleType("torch._utils")
    names.FloatStorage = type("FloatStorage", (), {"__module__": "torch"})

    def _rebuild_tensor_v2(*told):
        raise AssertionError("only named, never called")

    _rebuild_tensor_v2.__module__ = "torch._utils"
    _rebuild_tensor_v2.__qualname__ = "_rebuild_tensor_v2"
    inner._rebuild_tensor_v2 = _rebuild_tensor_v2
    monkeypatch.setitem(sys.modules, "torch", names)
    monkeypatch.setitem(sys.modules, "torch._utils", inner)
    return names


def weights() -> dict[str, np.ndarray]:
    out = {}
    for layer in range(LAYERS):
        columns = HIDDEN if layer else BANDS
        shapes = {"weight_ih": (1024, columns), "weight_hh": (1024, HIDDEN), "bias_ih": (1024,), "bias_hh": (1024,)}
        for name, shape in shapes.items():
            out[f"lstm.{name}_l{layer}"] = RNG.normal(0, 0.08, shape).astype(np.float32)
    out["linear.weight"] = RNG.normal(0, 0.1, (256, HIDDEN)).astype(np.float32)
    out["linear.bias"] = RNG.normal(0, 0.1, 256).astype(np.float32)
    return out


def checkpoint(path: Path, torch: types.ModuleType, numbers: dict[str, np.ndarray], extra: object = None) -> Path:
    """Write a file in PyTorch's older format: every tensor in one storage, one behind the other."""
    storage = Storage("1", np.concatenate([one.ravel() for one in numbers.values()]))
    tensors, offset = collections.OrderedDict(), 0
    for name, one in numbers.items():
        tensors[name] = Tensor(storage, offset, one.shape)
        offset += one.size
    state = {"step": 1, "model_state": tensors} | ({"extra": extra} if extra is not None else {})

    class Pickler(pickle.Pickler):
        def persistent_id(self, one):
            return (
                ("storage", torch.FloatStorage, one.key, "cpu", len(one.numbers), None)
                if isinstance(one, Storage)
                else None
            )

    with path.open("wb") as stream:
        for one in (MAGIC, 1001, {"protocol_version": 1001, "little_endian": True, "type_sizes": {}}):
            pickle.dump(one, stream, protocol=2)
        Pickler(stream, protocol=2).dump(state)
        pickle.dump(["1"], stream, protocol=2)
        stream.write(struct.pack("<q", len(storage.numbers)) + storage.numbers.astype("<f4").tobytes())
    return path


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def by_hand(numbers: dict[str, np.ndarray], mel: np.ndarray) -> np.ndarray:
    """The net as the paper and PyTorch's documentation write it, one step after another."""
    sequence = mel.transpose(1, 0, 2)
    for layer in range(LAYERS):
        w, r = numbers[f"lstm.weight_ih_l{layer}"], numbers[f"lstm.weight_hh_l{layer}"]
        bias = numbers[f"lstm.bias_ih_l{layer}"] + numbers[f"lstm.bias_hh_l{layer}"]
        hidden = cell = np.zeros((mel.shape[0], HIDDEN))
        steps = []
        for x in sequence:
            entry, forget, new, leave = np.split(x @ w.T + hidden @ r.T + bias, 4, axis=1)
            cell = sigmoid(forget) * cell + sigmoid(entry) * np.tanh(new)
            hidden = sigmoid(leave) * np.tanh(cell)
            steps.append(hidden)
        sequence = np.stack(steps)
    raw = np.maximum(sequence[-1] @ numbers["linear.weight"].T + numbers["linear.bias"], 0)
    return raw / np.linalg.norm(raw, axis=1, keepdims=True)


def test_the_converted_net_computes_what_the_checkpoint_means(tmp_path: Path, torch: types.ModuleType):
    numbers = weights()
    convert("ge2e", checkpoint(tmp_path / "net.pt", torch, numbers), tmp_path / "net.onnx")
    session = onnxruntime.InferenceSession((tmp_path / "net.onnx").read_bytes(), providers=["CPUExecutionProvider"])
    mel = np.abs(RNG.normal(0, 1, (3, 20, BANDS))).astype(np.float32)
    (voice,) = session.run(["voice"], {"mel": mel})
    assert np.allclose(voice, by_hand(numbers, mel), atol=1e-4)


def test_converting_twice_gives_the_same_bytes(tmp_path: Path, torch: types.ModuleType):
    source = checkpoint(tmp_path / "net.pt", torch, weights())
    hashes = set()
    for name in ("one", "two"):
        convert("ge2e", source, tmp_path / name)
        hashes.add(hashlib.sha256((tmp_path / name).read_bytes()).hexdigest())
    assert len(hashes) == 1


def test_a_checkpoint_that_would_run_something_is_refused(tmp_path: Path, torch: types.ModuleType):
    class Harm:
        def __reduce__(self):
            return Path.touch, (tmp_path / "harm",)

    source = checkpoint(tmp_path / "net.pt", torch, weights(), extra=Harm())
    with pytest.raises(ConvertFailed, match="has no place in it"):
        convert("ge2e", source, tmp_path / "net.onnx")
    assert not (tmp_path / "harm").exists()


@pytest.mark.parametrize("content", [b"", b"garbage", pickle.dumps(MAGIC), pickle.dumps([1, 2]) * 5])
def test_what_is_no_checkpoint_is_refused_in_words(tmp_path: Path, content: bytes):
    (tmp_path / "net.pt").write_bytes(content)
    with pytest.raises(ConvertFailed, match="is not what the converter ge2e expects"):
        convert("ge2e", tmp_path / "net.pt", tmp_path / "net.onnx")
    assert not (tmp_path / "net.onnx").exists()


def test_a_truncated_checkpoint_is_refused(tmp_path: Path, torch: types.ModuleType):
    source = checkpoint(tmp_path / "net.pt", torch, weights())
    source.write_bytes(source.read_bytes()[:-1_000])
    with pytest.raises(ConvertFailed):
        convert("ge2e", source, tmp_path / "net.onnx")


def test_a_converter_that_does_not_exist_is_named(tmp_path: Path):
    with pytest.raises(ConvertFailed, match="no converter called yolo"):
        convert("yolo", tmp_path / "a", tmp_path / "b")
