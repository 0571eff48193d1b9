import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from agent.platform import (
    block_encrypted,
    board_id,
    boot_id,
    built_in_addresses,
    notify,
    replace_file,
    smbios_uuid,
    volume_encrypted,
)


def test_another_process_gives_this_boot_the_same_name():
    code = "from agent.platform import boot_id; print(boot_id())"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(__file__).parents[2])
    assert said.stdout.split() == [boot_id()]


@pytest.mark.skipif(sys.platform != "linux", reason="reads the kernel's own files")
def test_only_built_in_network_cards_count_and_only_by_the_address_they_came_with(tmp_path):
    cards = {
        "tt-lan": ("pci0000:00/0000:00:1f.6", "0", "3C:52:82:11:22:33"),
        "tt-stick": ("pci0000:00/usb1/1-2/1-2:1.0", "0", "00:e0:4c:68:00:01"),
        "tt-random": ("pci0000:00/0000:00:14.3", "1", "9e:11:22:33:44:55"),
    }
    net = tmp_path / "net"
    for name, (bus, kind, address) in cards.items():
        device = tmp_path / "devices" / bus
        device.mkdir(parents=True)
        (net / name).mkdir(parents=True)
        (net / name / "device").symlink_to(device)
        (net / name / "addr_assign_type").write_text(f"{kind}\n")
        (net / name / "address").write_text(f"{address}\n")
    bridge = net / "tt-bridge"
    bridge.mkdir()
    (bridge / "addr_assign_type").write_text("0\n")
    (bridge / "address").write_text("02:42:ac:11:00:01\n")
    assert built_in_addresses(net) == ("3c:52:82:11:22:33",)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has a table instead")
@pytest.mark.parametrize(
    "said, meant",
    [
        ("4C4C4544-0044-3510-8052-B4C04F303332\n", "4c4c4544-0044-3510-8052-b4c04f303332"),
        ("03000200-0400-0500-0006-000700080009\n", ""),
        ("To be filled by O.E.M.\n", ""),
        ("00000000-0000-0000-0000-000000000000\n", ""),
    ],
)
def test_what_a_maker_puts_into_every_board_is_no_identity(tmp_path, said, meant):
    folder = tmp_path / "class" / "dmi" / "id"
    folder.mkdir(parents=True)
    (folder / "product_uuid").write_text(said)
    assert board_id(tmp_path) == meant


def test_the_firmwares_table_tells_its_uuid_and_survives_being_cut_anywhere():
    bios = bytes([0, 0x18, 0, 0]) + bytes(0x14) + b"Maker\0Version\0\0"
    raw = bytes.fromhex("44454c4c440010358052b4c04f303332")
    system = bytes([1, 0x1B, 1, 0]) + bytes(4) + raw + bytes(3) + b"Board\0\0"
    assert smbios_uuid(bios + system) == "4c4c4544-0044-3510-8052-b4c04f303332"
    assert smbios_uuid(bios) == ""
    for end in range(len(bios + system)):
        smbios_uuid((bios + system)[:end])
    assert smbios_uuid(bios + system.replace(raw, bytes(16))) == ""


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
