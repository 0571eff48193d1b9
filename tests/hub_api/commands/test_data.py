"""`--data` is enough to speak with a hub that runs, whatever its settings say."""

from pathlib import Path

import pytest

from hub.founding import init
from tests.hub_api.commands.authority import Authority
from tests.hub_api.commands.running import running
from tests.hub_api.commands.test_fleet import say, told

SETTINGS = """
data = "{data}"
broker = "amqtt"
[http]
port = 0
tls_cert = "{cert}"
tls_key = "{key}"
[mqtt]
port = 0
tls = false
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Settings of a hub whose certificate is signed by an authority that this system does not know."""
    cert, key = Authority(tmp_path).certificate("hub.district.example")
    path = tmp_path / "hub.toml"
    path.write_text(SETTINGS.format(data=(tmp_path / "data").as_posix(), cert=cert.as_posix(), key=key.as_posix()))
    init(tmp_path / "data")
    return path


def test_a_running_hub_is_asked_over_https_by_its_data_folder_alone(tmp_path: Path, config: Path):
    data = tmp_path / "data"
    with running(config, data) as hub:
        assert hub.where["http"].startswith("https://127.0.0.1")
        assert told("twin", "show", "--data", data) == []
        code, words = say("command", "room-9", "ping", "--data", data)
        assert (code, "there is no device room-9" in words) == (2, True), words


def test_another_server_in_the_hubs_place_is_not_shown_the_token(tmp_path: Path, config: Path):
    data = tmp_path / "data"
    with running(config, data):
        where = data / "hub.json"
        other, _ = Authority(tmp_path, "other").certificate("127.0.0.1")
        shown = other.read_text().replace("\n", "\\n")
        text = where.read_text()
        begin, end = text.index("-----BEGIN"), text.index("-----END CERTIFICATE-----\\n") + 27
        where.write_text(text[:begin] + shown + text[end:])
        code, words = say("twin", "show", "--data", data)
        assert (code, "CERTIFICATE_VERIFY_FAILED" in words) == (2, True), words


def test_where_its_database_is_does_not_matter_to_whoever_only_asks_the_running_hub(tmp_path: Path):
    data, books = tmp_path / "data", f"sqlite:///{(tmp_path / 'books.db').as_posix()}"
    config = tmp_path / "hub.toml"
    config.write_text(
        f'data = "data"\ndatabase = "{books}"\nbroker = "amqtt"\n[http]\nport = 0\n[mqtt]\nport = 0\ntls = false\n'
    )
    init(data, books)
    with running(config, data):
        assert told("twin", "show", "--data", data) == []
    assert not (data / "hub.db").exists()
