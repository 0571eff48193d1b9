import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from agent.platform import block_encrypted, boot_id, machine_id, notify, replace_file, volume_encrypted


def test_another_process_gives_boot_and_machine_the_same_names():
    code = "from agent.platform import boot_id, machine_id; print(boot_id(), machine_id())"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(__file__).parents[2])
    assert said.stdout.split() == [boot_id(), machine_id()]
    assert boot_id() != machine_id()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no sd_notify")
def test_systemd_hears_what_is_said(tmp_path, monkeypatch):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        assert notify("READY=1")
        assert heard.recv(64) == b"READY=1"


def test_without_systemd_nothing_is_said_and_nothing_breaks(monkeypatch):
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    assert not notify("READY=1")


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path):
    path = tmp_path / "kept.json"
    replace_file(path, b"old")
    with pytest.raises(TypeError):
        replace_file(path, "text, not bytes")
    assert path.read_bytes() == b"old"
    assert [one.name for one in tmp_path.iterdir()] == ["kept.json"]


@pytest.mark.parametrize(
    "uuids, encrypted",
    [
        (["CRYPT-LUKS2-1"], True),
        (["LVM-1"], False),
        (["CRYPT-LUKS2-1", "CRYPT-LUKS2-2"], True),
        (["CRYPT-1", ""], False),
    ],
)
def test_a_volume_is_encrypted_where_everything_below_it_is(tmp_path, uuids, encrypted):
    for number, uuid in enumerate(uuids):
        disk = tmp_path / f"disk{number}"
        (disk / "dm").mkdir(parents=True)
        (disk / "dm" / "uuid").write_text(uuid)
        (tmp_path / "volume" / "slaves").mkdir(parents=True, exist_ok=True)
        (tmp_path / "volume" / "slaves" / disk.name).symlink_to(disk)
    assert block_encrypted(tmp_path / "volume") is encrypted


def test_a_volume_without_a_device_of_its_own_is_unknown(tmp_path):
    assert block_encrypted(tmp_path / "nothing") is None
    if Path("/proc").is_mount():
        assert volume_encrypted(Path("/proc")) is None


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
def test_a_child_ends_with_its_parent(tmp_path):
    child = (
        "from agent.platform import die_with_parent as d; d(); print('ready', flush=True); import time; time.sleep(60)"
    )
    parent = (
        "import subprocess, sys, os\n"
        f"one = subprocess.Popen([sys.executable, '-c', {child!r}], stdout=subprocess.PIPE)\n"
        "one.stdout.readline(); print(one.pid, flush=True); os.kill(os.getpid(), 9)\n"
    )
    said = subprocess.run([sys.executable, "-c", parent], capture_output=True, text=True, cwd=Path(__file__).parents[2])
    pid = int(said.stdout)
    for _ in range(200):
        if not _alive(pid):
            break
        os.sched_yield()
        subprocess.run(["sleep", "0.02"], check=True)
    assert not _alive(pid)


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
