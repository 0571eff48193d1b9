"""A hub whose archive volume is really full: a small tmpfs."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from contract.package import MANIFEST
from contract.session import Role
from hub.archive import intake as intake_module
from tests.hub_api.archive.test_intake import CHUNK, about, client, refusal, send, status
from tests.hub_api.district import district, entry, package


@pytest.fixture
def small_volume(tmp_path: Path) -> Iterator[Path]:
    """A folder on a volume of 6 MiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("a small volume can only be mounted by root on Linux")
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", folder], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip(f"a small volume cannot be mounted here: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def test_a_full_disk_is_told_as_507_and_the_upload_goes_on_once_there_is_room(
    small_volume: Path, tmp_path: Path, monkeypatch
):
    monkeypatch.setattr(intake_module, "RESERVE_BYTES", 0)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "archive").symlink_to(small_volume)
    with district(tmp_path / "data") as hub:
        hub.register()
        session = hub.session()
        package(tmp_path / "p", hub.lead, Role.LEAD, session, {"camera.mp4": os.urandom(5_000_000)})
        camera = tmp_path / "p" / "camera.mp4"
        begun = client(hub, hub.lead).uploader(
            str(camera), chunk_size=CHUNK, metadata=about(session, hub.lead.room, entry(camera))
        )
        begun.upload(stop_at=CHUNK)
        ballast = small_volume / "ballast"
        ballast.write_bytes(b"x" * 4_000_000)
        with pytest.raises(Exception) as full:
            begun.upload()
        assert full.value.status_code == 507
        assert b"free space" in full.value.response_content
        assert status(hub, hub.lead, session) == {"have": [], "complete": False}
        assert refusal(hub, hub.lead, session, camera)[0] == 507

        ballast.unlink()
        client(hub, hub.lead).uploader(str(camera), chunk_size=CHUNK, url=begun.url).upload()
        send(hub, hub.lead, session, tmp_path / "p" / MANIFEST)
        assert status(hub, hub.lead, session)["complete"] is True
