from pathlib import Path

import pytest

from contract.settings import SettingsRefused
from hub.cli_options import settings_from
from hub.settings import (
    HttpSettings,
    HubSettings,
    LessonSettings,
    MqttSettings,
    PlanPolicySettings,
    PlanSettings,
    load_settings,
)

EXAMPLE = Path(__file__).parents[2] / "configs" / "hub.toml"


def test_the_example_can_be_used_as_it_is_and_shows_every_default():
    example = load_settings(EXAMPLE)
    assert example == HubSettings(data=example.data)
    text = EXAMPLE.read_text(encoding="utf-8")
    tables = (HubSettings, HttpSettings, MqttSettings, LessonSettings, PlanSettings, PlanPolicySettings)
    for name, field in (one for table in tables for one in table.model_fields.items()):
        assert name in text
        assert field.title
        assert field.description


def test_a_wrong_key_is_answered_with_the_right_one(tmp_path):
    (tmp_path / "hub.toml").write_text('data = "x"\n[http]\nprot = 80\n')
    with pytest.raises(SettingsRefused, match="did you mean port"):
        load_settings(tmp_path / "hub.toml")


@pytest.mark.parametrize(
    "broker", ["rabbit", "mqtt://", "mqtt://host", "mqtt://host:0", "mqtt://host:99999", "http://host:1883", ""]
)
def test_an_unknown_broker_is_refused_in_words(tmp_path, broker):
    (tmp_path / "hub.toml").write_text(f'data = "x"\nbroker = "{broker}"\n')
    with pytest.raises(SettingsRefused, match="auto, mosquitto, amqtt, mqtt://host:port or mqtts://host:port"):
        load_settings(tmp_path / "hub.toml")


@pytest.mark.parametrize("name", ["", "-hub", "hub-", "hub..school", "hub school", "hub_1", "中心"])
def test_a_name_that_no_certificate_can_bear_is_refused_in_words(tmp_path, name):
    (tmp_path / "hub.toml").write_text(f'data = "x"\n[mqtt]\nnames = ["hub.school", "10.0.0.5", "{name}"]\n')
    with pytest.raises(SettingsRefused, match="neither a host name nor an address"):
        load_settings(tmp_path / "hub.toml")


def test_a_time_zone_that_nobody_knows_is_refused_in_words(tmp_path):
    (tmp_path / "hub.toml").write_text('data = "x"\n[plan]\ntimezone = "Asia/Fangshan"\n')
    with pytest.raises(SettingsRefused, match="is no time zone that this machine knows"):
        load_settings(tmp_path / "hub.toml")


@pytest.mark.parametrize(("given", "missing"), [("tls_cert", "tls_key"), ("tls_key", "tls_cert")])
def test_a_certificate_without_its_key_is_refused_in_words_and_the_other_way_round(tmp_path, given, missing):
    (tmp_path / "hub.toml").write_text(f'data = "x"\n[http]\n{given} = "/etc/hub.pem"\n')
    with pytest.raises(SettingsRefused, match=f"{missing} is missing; set both"):
        load_settings(tmp_path / "hub.toml")


def test_relative_paths_start_at_the_settings_file_wherever_the_command_is_given(tmp_path, monkeypatch):
    folder = tmp_path / "etc"
    folder.mkdir()
    (folder / "hub.toml").write_text(
        'data = "data"\narchive = "../archive"\ndatabase = "sqlite:///books/hub.db"\n'
        '[http]\ntls_cert = "hub.pem"\ntls_key = "/keys/hub.pem"\n[ca]\ncertificate = "ca.pem"\nkey = "ca.key"\n'
    )
    monkeypatch.chdir(tmp_path)
    read = load_settings(Path("etc/hub.toml"))
    assert read.data == folder / "data"
    assert read.archive_folder == folder / "../archive"
    assert read.database_url == f"sqlite:///{folder.as_posix()}/books/hub.db"
    assert (read.http.tls_cert, read.http.tls_key) == (folder / "hub.pem", Path("/keys/hub.pem"))
    assert (read.ca.certificate, read.ca.key) == (folder / "ca.pem", folder / "ca.key")


@pytest.mark.parametrize(
    "url", ["", "sqlite:////srv/hub.db", "sqlite:///:memory:", "sqlite://", "postgresql+psycopg://hub@/tongtang"]
)
def test_a_database_that_has_no_relative_path_is_left_as_it_is(tmp_path, url):
    (tmp_path / "hub.toml").write_text(f'data = "data"\ndatabase = "{url}"\n')
    assert load_settings(tmp_path / "hub.toml").database == url


def test_a_data_folder_that_is_typed_starts_where_one_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "hub").mkdir()
    assert settings_from(None, Path("hub")).data.absolute() == tmp_path / "hub"


def test_database_and_archive_lie_in_the_data_folder_unless_set_apart(tmp_path):
    inside = HubSettings(data=tmp_path)
    assert inside.database_url == f"sqlite:///{tmp_path.as_posix()}/hub.db"
    assert inside.archive_folder == tmp_path / "archive"
    apart = HubSettings(data=tmp_path, archive=Path("/srv/a"), database="postgresql+psycopg://h/d")
    assert (apart.archive_folder, apart.database_url) == (Path("/srv/a"), "postgresql+psycopg://h/d")
