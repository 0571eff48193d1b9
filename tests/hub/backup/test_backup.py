"""A backup holds the whole hub or is not there; a restore is whole or changes nothing."""

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import threading
import time
from pathlib import Path

import pytest

from contract.keys import new_device_key, public_pem
from contract.telemetry import Row
from hub.backup.make import backup
from hub.backup.manifest import MANIFEST
from hub.backup.restore import restore
from hub.errors import HubRefused
from hub.fleet.devices import Devices, NewDevice
from hub.founding import hub_key, init
from hub.settings import HubSettings, load_settings
from hub.store.rows import Arrived
from hub.store.store import Store

VERSION = "0.1.0"


@pytest.fixture
def settings(tmp_path) -> HubSettings:
    """A hub with a device, some rows, and a lesson package."""
    made = HubSettings(data=tmp_path / "data")
    init(made.data)
    store = Store.open(made.database_url)
    devices = Devices(store.devices, time.time, lambda _: None)
    devices.register(NewDevice("d-1", "room-1", "一室", "城关", public_pem(new_device_key())))
    store.facts.put("mqtt_port", "1883")
    store.rows.take([arrived(seq) for seq in range(1, 11)])
    store.close()
    package = made.archive_folder / "s-2026-abcd" / "room-1"
    package.mkdir(parents=True)
    (package / "camera.mp4").write_bytes(os.urandom(600_000))
    (package / ".receipt.json").write_text("{}")
    return made


def arrived(seq: int) -> Arrived:
    row = Row(stream="s", seq=seq, first=1, id=f"id-{seq}", kind="health", boot="b", mono_ns=seq, wall=0.0)
    return Arrived("d-1", "tele", row, 1.0)


def made(settings: HubSettings, file: Path, **more) -> Path:
    backup(settings, file, version=VERSION, now=time.time(), **more)
    return file


def put_back(file: Path, data: Path, **more):
    return restore(file, data, version=VERSION, **more)


def ids(data: Path) -> list[str]:
    store = Store.open(HubSettings(data=data).database_url)
    try:
        return store.rows.ids("d-1")
    finally:
        store.close()


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_what_was_backed_up_is_the_same_hub_again(settings, tmp_path):
    file = made(settings, tmp_path / "all.tar", archive=True)
    done = put_back(file, tmp_path / "new")
    assert ids(tmp_path / "new") == [f"id-{seq}" for seq in range(1, 11)]
    assert public_pem(hub_key(tmp_path / "new")) == public_pem(hub_key(settings.data))
    assert snapshot(tmp_path / "new" / "archive") == snapshot(settings.archive_folder)
    store = Store.open(HubSettings(data=tmp_path / "new").database_url)
    assert [one.name for one in store.devices.all()] == ["一室"]
    assert store.facts.get("mqtt_port") == "1883"
    store.close()
    assert done.manifest.devices == 1


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_only_this_account_may_read_a_backup_and_what_comes_of_it(settings, tmp_path):
    file = made(settings, tmp_path / "all.tar")
    put_back(file, tmp_path / "new")
    assert file.stat().st_mode & 0o777 == 0o600
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "new").iterdir() if path.is_file()} == {0o600}
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700


def test_lesson_packages_are_left_out_unless_asked_for_and_that_is_told(settings, tmp_path):
    plain = backup(settings, tmp_path / "small.tar", version=VERSION, now=1.0)
    assert any("lesson packages" in words and "--archive" in words for words in plain.words)
    assert plain.bytes < 600_000
    done = put_back(plain.file, tmp_path / "new")
    assert not (tmp_path / "new" / "archive").exists()
    assert any("archive" in words for words in done.words)


def test_a_backup_of_a_hub_that_writes_all_the_time_is_one_moment_of_it(settings, tmp_path):
    store = Store.open(settings.database_url)
    ending = threading.Event()
    committed = 10

    def write() -> None:
        nonlocal committed
        while not ending.is_set():
            store.rows.take([arrived(seq) for seq in range(committed + 1, committed + 21)])
            committed += 20

    writing = threading.Thread(target=write)
    writing.start()
    try:
        while committed < 200:
            time.sleep(0.01)
        before = committed
        made(settings, tmp_path / "all.tar")
        after = committed
    finally:
        ending.set()
        writing.join()
        store.close()
    put_back(tmp_path / "all.tar", tmp_path / "new")
    kept = ids(tmp_path / "new")
    assert kept == [f"id-{seq}" for seq in range(1, len(kept) + 1)]
    assert before <= len(kept) <= after + 20


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.9, 0.999])
def test_a_backup_that_was_cut_off_is_refused_and_changes_nothing(settings, tmp_path, share):
    whole = made(settings, tmp_path / "all.tar").read_bytes()
    end = whole.rindex(b'"files"')
    (tmp_path / "cut.tar").write_bytes(whole[: int(end * share)])
    with pytest.raises(HubRefused, match=r"cut off|no backup|damaged"):
        put_back(tmp_path / "cut.tar", tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_changed_byte_anywhere_in_a_file_is_found(settings, tmp_path):
    file = made(settings, tmp_path / "all.tar", archive=True)
    whole = bytearray(file.read_bytes())
    with tarfile.open(file) as tar:
        members = [(one.name, one.offset_data, one.size) for one in tar if one.name != MANIFEST]
    assert len(members) >= 5
    for name, at, size in members:
        other = bytearray(whole)
        other[at + size // 2] ^= 1
        (tmp_path / "changed.tar").write_bytes(other)
        with pytest.raises(HubRefused, match="damaged") as refused:
            put_back(tmp_path / "changed.tar", tmp_path / "new")
        assert name in str(refused.value)
    assert not (tmp_path / "new").exists()


def rewritten(file: Path, target: Path, change) -> Path:
    """The same backup with another manifest."""
    with tarfile.open(file) as old, tarfile.open(target, "w") as new:
        for member in old:
            data = old.extractfile(member).read()
            if member.name == MANIFEST:
                told = json.loads(data)
                change(told)
                data = json.dumps(told).encode()
                member.size = len(data)
            new.addfile(member, io.BytesIO(data))
    return target


@pytest.mark.parametrize(
    "newer", [{"tongtang": "0.2.0"}, {"tongtang": "0.10.0"}, {"revision": "0999"}, {"format": 2, "tongtang": "9.0"}]
)
def test_a_newer_hubs_backup_is_refused_with_what_to_install(settings, tmp_path, newer):
    file = rewritten(made(settings, tmp_path / "all.tar"), tmp_path / "newer.tar", lambda told: told.update(newer))
    with pytest.raises(HubRefused, match=r"newer hub .* install tongtang"):
        put_back(file, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_an_older_hubs_backup_is_taken(settings, tmp_path):
    file = rewritten(
        made(settings, tmp_path / "all.tar"), tmp_path / "older.tar", lambda told: told.update(tongtang="0.0.9")
    )
    put_back(file, tmp_path / "new")
    assert len(ids(tmp_path / "new")) == 10


@pytest.mark.parametrize("name", ["../escaped", "/tmp/escaped", "ca/../../escaped", "hub.key"])
def test_names_that_lead_elsewhere_or_come_twice_are_refused(settings, tmp_path, name):
    file = made(settings, tmp_path / "all.tar")
    with tarfile.open(file) as old, tarfile.open(tmp_path / "evil.tar", "w") as new:
        info = tarfile.TarInfo(name)
        info.size = 4
        new.addfile(info, io.BytesIO(b"evil"))
        for member in old:
            new.addfile(member, old.extractfile(member))
    with pytest.raises(HubRefused, match="does not belong"):
        put_back(tmp_path / "evil.tar", tmp_path / "new")
    assert not (tmp_path / "new").exists()
    assert not (tmp_path / "escaped").exists()


def with_settings(folder: Path, text: str) -> tuple[HubSettings, Path]:
    """A hub that was made by a settings file, and that file."""
    (folder / "etc").mkdir()
    file = folder / "etc" / "hub.toml"
    file.write_text(text, encoding="utf-8")
    read = load_settings(file)
    init(read.data, read.database)
    return read, file


def test_the_settings_that_come_back_name_the_new_folder_and_nothing_else_changes(tmp_path):
    text = (
        "# 石桥区\n[http]\nport = 0  # any\n"
        '# data = "x"\ntls_cert = "hub.pem"\ntls_key = "/keys/hub.key"\n[lesson]\nlead_s = 9.0\n'
    )
    settings, file = with_settings(tmp_path, f'  "data" =   "../data" # here\nlanguage = "en"\n{text}')
    done = put_back(made(settings, tmp_path / "all.tar", toml=file), tmp_path / "new")
    kept = (tmp_path / "new" / "hub.toml").read_text(encoding="utf-8")
    there = (tmp_path / "etc" / "hub.pem").as_posix()
    assert kept.endswith('language = "en"\n' + text.replace('"hub.pem"', f'"{there}"'))
    again = load_settings(tmp_path / "new" / "hub.toml")
    assert again.data == tmp_path / "new"
    assert hub_key(again.data)
    told = "\n".join(done.words)
    assert f"its settings file {tmp_path / 'new' / 'hub.toml'} names this folder now" in told
    assert f"tls_cert under [http] in it names {there}, which cannot be read here" in told
    assert "tls_key under [http] in it names /keys/hub.key" in told


def test_a_database_and_an_archive_that_lay_apart_are_found_where_they_are_put_back(tmp_path):
    text = 'data = "data"\ndatabase = "sqlite:///books.db"\narchive = "packages"\n'
    settings, file = with_settings(tmp_path, text)
    (settings.archive_folder / "s-1" / "room-1").mkdir(parents=True)
    (settings.archive_folder / "s-1" / "room-1" / "camera.mp4").write_bytes(b"x")
    put_back(made(settings, tmp_path / "all.tar", toml=file, archive=True), tmp_path / "new")
    again = load_settings(tmp_path / "new" / "hub.toml")
    assert again.database_url == f"sqlite:///{(tmp_path / 'new' / 'hub.db').as_posix()}"
    assert (again.archive_folder / "s-1" / "room-1" / "camera.mp4").read_bytes() == b"x"


def test_an_archive_that_was_not_in_the_backup_is_asked_for_where_the_settings_say(tmp_path):
    settings, file = with_settings(tmp_path, f'data = "data"\narchive = "{(tmp_path / "apart").as_posix()}"\n')
    done = put_back(made(settings, tmp_path / "all.tar", toml=file), tmp_path / "new")
    assert f"put the archive back into {tmp_path / 'apart'}" in "\n".join(done.words)


def test_settings_that_cannot_be_changed_by_a_line_are_left_as_they_are_and_that_is_told(tmp_path):
    settings, file = with_settings(tmp_path, f'data = """\\\n{(tmp_path / "data").as_posix()}"""\n')
    done = put_back(made(settings, tmp_path / "all.tar", toml=file), tmp_path / "new")
    assert (tmp_path / "new" / "hub.toml").read_bytes() == file.read_bytes()
    assert f"names {tmp_path / 'data'}: set data to {tmp_path / 'new'} in it" in "\n".join(done.words)


def test_a_folder_that_holds_something_is_left_alone(settings, tmp_path):
    file = made(settings, tmp_path / "all.tar")
    before = snapshot(settings.data)
    with pytest.raises(HubRefused, match="not empty"):
        put_back(file, settings.data)
    assert snapshot(settings.data) == before


def test_an_empty_folder_with_the_rest_of_a_restore_that_was_killed_will_do(settings, tmp_path):
    file = made(settings, tmp_path / "all.tar")
    (tmp_path / "new" / ".restoring").mkdir(parents=True)
    (tmp_path / "new" / ".restoring" / "hub.key").write_text("half")
    (tmp_path / "new" / "lost+found").mkdir()
    put_back(file, tmp_path / "new")
    assert len(ids(tmp_path / "new")) == 10
    assert not (tmp_path / "new" / ".restoring").exists()


def test_a_backup_is_never_written_over_another(settings, tmp_path):
    (tmp_path / "all.tar").write_text("yesterday's")
    with pytest.raises(HubRefused, match="already"):
        made(settings, tmp_path / "all.tar")
    assert (tmp_path / "all.tar").read_text() == "yesterday's"


def test_a_hub_whose_database_cannot_be_read_gives_no_backup_and_leaves_nothing(settings, tmp_path):
    (settings.data / "hub.db").write_bytes(b"no database" * 1000)
    (tmp_path / "backups").mkdir()
    with pytest.raises(HubRefused, match="cannot be copied"):
        made(settings, tmp_path / "backups" / "all.tar")
    assert list((tmp_path / "backups").iterdir()) == []


def test_a_folder_without_a_hub_is_told_in_words(tmp_path):
    with pytest.raises(HubRefused, match="no hub in"):
        made(HubSettings(data=tmp_path), tmp_path / "all.tar")


def test_a_damaged_database_in_a_backup_is_found_before_it_is_put_in_place(settings, tmp_path):
    import hashlib

    file = made(settings, tmp_path / "all.tar")
    with tarfile.open(file) as old, tarfile.open(tmp_path / "bad.tar", "w") as new:
        for member in old:
            data = old.extractfile(member).read()
            if member.name == "hub.db":
                data = data[:4096] + b"\xff" * (len(data) - 4096)
                digest = hashlib.sha256(data).hexdigest()
            if member.name == MANIFEST:
                told = json.loads(data)
                next(one for one in told["files"] if one["name"] == "hub.db")["sha256"] = digest
                data = json.dumps(told).encode()
                member.size = len(data)
            new.addfile(member, io.BytesIO(data))
    with pytest.raises(HubRefused, match="database in the backup is damaged"):
        put_back(tmp_path / "bad.tar", tmp_path / "new")
    assert list((tmp_path / "new").iterdir()) == []


@pytest.mark.faults
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
@pytest.mark.parametrize("after_s", [0.0, 0.02, 0.05, 0.1])
def test_a_backup_that_is_killed_leaves_no_file_of_its_name(settings, tmp_path, after_s):
    (settings.archive_folder / "s-2026-abcd" / "room-1" / "slides.mp4").write_bytes(os.urandom(200_000_000))
    file = tmp_path / "all.tar"
    command = [sys.executable, "-m", "tongtang", "hub", "backup", str(file), "--data", str(settings.data), "--archive"]
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    draft = tmp_path / "all.tar.part"
    while not draft.exists() and child.poll() is None:
        time.sleep(0.005)
    time.sleep(after_s)
    child.send_signal(signal.SIGKILL)
    child.wait()
    if child.returncode == 0:
        pytest.skip("it was done before it could be killed")
    assert not file.exists()
    made(settings, file)  # what is left over is in nobody's way
    assert not draft.exists()
    put_back(file, tmp_path / "new")


@pytest.mark.skipif(shutil.which("pg_dump") is None, reason="pg_dump is not installed")
def test_a_hub_on_postgresql_is_backed_up_and_restored_into_an_empty_database(cluster, postgres_url, tmp_path):
    old = HubSettings(data=tmp_path / "data", database=postgres_url)
    init(old.data, old.database)
    toml = tmp_path / "hub.toml"
    toml.write_text(f'data = "data"\ndatabase = "{postgres_url}"\n')
    store = Store.open(old.database_url)
    devices = Devices(store.devices, time.time, lambda _: None)
    devices.register(NewDevice("d-1", "room-1", "一室", "城关", public_pem(new_device_key())))
    store.rows.take([arrived(seq) for seq in range(1, 11)])
    store.close()
    file = made(old, tmp_path / "all.tar", toml=toml)
    with pytest.raises(HubRefused, match="--database"):
        put_back(file, tmp_path / "new")
    with pytest.raises(HubRefused, match="not empty"):
        put_back(file, tmp_path / "new", database=postgres_url)
    assert not (tmp_path / "new" / "hub.key").exists()
    empty = cluster.fresh(empty=True)
    try:
        put_back(file, tmp_path / "new", database=cluster.url(empty))
        again = Store.open(cluster.url(empty))
        assert again.rows.ids("d-1") == [f"id-{seq}" for seq in range(1, 11)]
        again.close()
        assert load_settings(tmp_path / "new" / "hub.toml").database == cluster.url(empty)
    finally:
        cluster.drop(empty)
    names = [path.name for path in (tmp_path / "new").iterdir() if path.is_file()]
    assert sorted(names) == ["hub.key", "hub.toml", "operator.token"]


def test_without_pg_dump_it_is_said_what_to_install(tmp_path, monkeypatch):
    from sqlalchemy import make_url

    from hub.backup import database

    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(HubRefused, match="apt install postgresql-client"):
        database._run("pg_dump", [], make_url("postgresql://hub:secret@db/tongtang"))
