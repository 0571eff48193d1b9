"""What keeps a hub from running is one clear line and exit code 2, never a traceback."""

import socket
from pathlib import Path

import pytest

from hub.founding import init
from tests.hub_api.commands.running import refused, refused_here, running


@pytest.fixture
def data(tmp_path: Path) -> Path:
    init(tmp_path / "data")
    return tmp_path / "data"


def settings(data: Path, *, http: str = "port = 0", mqtt: str = "port = 0", more: str = 'broker = "amqtt"') -> Path:
    path = data.parent / "hub.toml"
    path.write_text(f'data = "{data.as_posix()}"\n{more}\n[http]\n{http}\n[mqtt]\n{mqtt}\n')
    return path


def one_line(told: tuple[int, str]) -> str:
    code, words = told
    assert code == 2, words
    assert words.count("\n") == 1, words
    assert "Traceback" not in words
    return words


@pytest.mark.parametrize("door", ["http", "mqtt"])
def test_a_port_that_another_program_has(data: Path, door: str):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        words = one_line(refused_here("run", "--config", settings(data, **{door: f"port = {port}"})))
    assert f"127.0.0.1:{port}" in words if door == "http" else f"port {port} on 127.0.0.1 is taken" in words
    assert "port" in words.partition("set another")[2]


@pytest.mark.parametrize("port", [0, 18_833])
@pytest.mark.parametrize("door", ["http", "mqtt"])
def test_an_address_that_is_not_of_this_machine(data: Path, door: str, port: int):
    where = f'host = "198.51.100.7"\nport = {port}'
    words = one_line(refused_here("run", "--config", settings(data, **{door: where})))
    assert "198.51.100.7" in words


@pytest.mark.parametrize(
    "more",
    [{"mqtt": 'host = "0.0.0.0"\nport = 0\ntls = false'}, {"more": 'broker = "mqtt://broker.school:1883"'}],
)
def test_a_broker_that_would_be_open_to_the_network(data: Path, more: dict[str, str]):
    words = one_line(refused_here("run", "--config", settings(data, **more)))
    assert "without TLS" in words
    assert "tls = true" in words or "mqtts://" in words


def test_mosquitto_is_asked_for_and_not_installed(data: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("hub.broker.embedded.SBIN", Path("/none"))
    words = one_line(refused_here("run", "--config", settings(data, more='broker = "mosquitto"')))
    assert "mosquitto is not installed; install it" in words


def test_a_second_hub_on_the_same_folder(data: Path):
    config = settings(data)
    with running(config, data) as hub:
        assert "is in use by another hub" in one_line(refused("run", "--config", config))
    assert hub.code == 0, hub.log


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ('broker = "amqtt"\ndatabase = "postgresql+psycopg://hub:secret@db/tongtang"', "database"),
        ('broker = "amqtt"\ndatabase = "sqlite:////dev/null/such/hub.db"', "/dev/null/such"),
        ('broker = "rabbit"', "broker must be auto"),
        ('broker = "amqtt"\nlanguage = "fr"', "language"),
        ('broker = "amqtt"\narchive = "/dev/null/archive"', "archive"),
    ],
)
def test_settings_that_cannot_be_used(data: Path, more: str, words: str):
    code, told = refused_here("run", "--config", settings(data, more=more))
    assert code == 2, told
    assert words in told
    assert "Traceback" not in told
    assert "secret" not in told


def test_settings_and_folders_that_are_not_there(tmp_path: Path):
    assert "No such file" in one_line(refused_here("run", "--config", tmp_path / "none.toml"))
    assert "tongtang hub init" in one_line(refused_here("run", "--data", tmp_path / "none"))
    assert "--config FILE or --data DIR" in one_line(refused_here("run"))


def test_a_database_that_is_damaged(data: Path):
    for file in data.glob("hub.db*"):
        file.unlink()
    (data / "hub.db").write_bytes(b"this is not a database at all" * 500)
    assert "cannot be opened" in one_line(refused_here("run", "--config", settings(data)))


def test_a_lock_that_cannot_be_made(data: Path):
    (data / "hub.lock").mkdir()
    assert "hub.lock" in one_line(refused_here("run", "--config", settings(data)))


@pytest.mark.parametrize(
    "command", [["user", "add", "operator"], ["enrol", "--school", "城关小学", "--room", "cg-1"], ["run"]]
)
def test_a_data_folder_whose_database_is_elsewhere_is_not_given_a_second_one(tmp_path: Path, command: list[str]):
    data, elsewhere = tmp_path / "data", tmp_path / "elsewhere.db"
    init(data, f"sqlite:///{elsewhere.as_posix()}")
    token = (data / "operator.token").read_text()
    words = one_line(refused_here(*command, "--data", data))
    assert "--config" in words
    assert not (data / "hub.db").exists()
    assert (data / "operator.token").read_text() == token
