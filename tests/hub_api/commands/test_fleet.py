"""`tongtang hub enrol`, `claims`, `confirm`, `revoke`: at the command line, beside a hub that runs or not."""

import csv
import json
import re
import time
from pathlib import Path

import httpx
import numpy as np
import pytest
import zxingcpp
from typer.testing import CliRunner

from contract.enrolment import read_ticket
from contract.keys import new_device_key, public_pem
from hub.cli import app
from hub.founding import init
from hub.settings import HubSettings
from hub.store.devices import DeviceRecord
from hub.store.store import Store
from tests.hub.fleet.papers import request
from tests.hub_api.commands.authority import Authority
from tests.hub_api.commands.running import running
from tests.hub_api.district import Device

SETTINGS = """
data = "{data}"
broker = "amqtt"
[http]
port = 0
{more}
[mqtt]
port = 0
tls = false
"""


def settings(folder: Path, more: str = "") -> Path:
    path = folder / "hub.toml"
    path.write_text(SETTINGS.format(data=(folder / "data").as_posix(), more=more))
    init(folder / "data")
    return path


def say(*words: object) -> tuple[int, str]:
    done = CliRunner().invoke(app, [str(word) for word in words])
    return done.exit_code, done.output


def told(*words: object) -> dict | list:
    done = CliRunner().invoke(app, [*(str(word) for word in words), "--json"])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def show(url: str, code: str, key: object) -> httpx.Response:
    return httpx.post(f"{url}/api/v1/enrolments", json={"code": code, "csr": request(key), "machine": "m1"})


def seen(terminal: str) -> str:
    """What a camera reads in the half blocks of a terminal."""
    lines = [line for line in terminal.splitlines() if re.fullmatch(r"[█▀▄ ]{20,}", line)]
    upper, lower = {"█", "▀"}, {"█", "▄"}
    rows = [[255 if sign in half else 0 for sign in line] for line in lines for half in (upper, lower)]
    picture = np.kron(np.array(rows, np.uint8), np.ones((8, 8), np.uint8))
    [found] = zxingcpp.read_barcodes(np.pad(picture, 32, constant_values=255))
    return found.text


def test_a_code_made_beside_a_running_hub_counts_at_once_and_so_does_a_revocation(tmp_path: Path):
    config, key = settings(tmp_path), new_device_key()
    with running(config, tmp_path / "data") as hub:
        url = hub.where["http"]
        made = told("enrol", "--school", "城关小学", "--room", "room-301", "--config", config)
        assert read_ticket(made["ticket"]).hub == url
        answer = show(url, made["code"], key)
        assert answer.status_code == 200, answer.text
        device = Device("room-301", "room-301", key)
        assert httpx.options(f"{url}/api/v1/uploads/", headers=device.headers).status_code == 204
        assert told("revoke", "room-301", "--config", config) == {"device": "room-301", "revoked": True, "by_hub": True}
        assert httpx.options(f"{url}/api/v1/uploads/", headers=device.headers).status_code == 403
    assert "device room-301 enrolled for room room-301 from 127.0.0.1, machine m1, by its code alone" in hub.log
    assert "device room-301 is revoked by operator" in hub.log


def test_without_a_token_a_revocation_is_written_down_and_the_hub_notices_by_itself(tmp_path: Path):
    config, key = settings(tmp_path), new_device_key()
    with running(config, tmp_path / "data") as hub:
        url = hub.where["http"]
        made = told("enrol", "--school", "城关小学", "--room", "room-301", "--config", config)
        show(url, made["code"], key)
        (tmp_path / "data" / "operator.token").unlink()
        assert told("revoke", "room-301", "--config", config)["by_hub"] is False
        device = Device("room-301", "room-301", key)
        until = time.monotonic() + 20
        while httpx.options(f"{url}/api/v1/uploads/", headers=device.headers).status_code != 403:
            assert time.monotonic() < until, "the hub did not notice"
            time.sleep(0.1)
        code, words = say("revoke", "room-301", "--config", config, "--token", "tt-wrong")
        assert (code, "does not take this operator's token" in words) == (2, True)


def test_over_tls_the_hub_is_asked_by_its_own_certificate_though_it_has_another_name(tmp_path: Path):
    certificate, key_file = Authority(tmp_path).certificate("hub.district.example")
    more = f'tls_cert = "{certificate.as_posix()}"\ntls_key = "{key_file.as_posix()}"'
    config = settings(tmp_path, more)
    store = Store.open(HubSettings(data=tmp_path / "data").database_url)
    store.devices.add(DeviceRecord("room-1", "room-1", "", "x", public_pem(new_device_key()), 1.0))
    store.close()
    with running(config, tmp_path / "data") as hub:
        assert hub.where["http"].startswith("https://127.0.0.1")
        assert told("revoke", "room-1", "--config", config)["by_hub"] is True


def test_a_school_gets_a_sheet_and_its_machines_are_let_in_together(tmp_path: Path):
    config = settings(tmp_path, 'url = "https://hub.district.example"')
    rooms = tmp_path / "chengguan.csv"
    rooms.write_bytes("学校,教室,名称\r\n城关小学,cg-301,三年级<一>班\r\n城关小学,cg-302,\r\n".encode("gb18030"))
    made = told("enrol", "--csv", rooms, "--config", config)
    codes, sheet = tmp_path / "chengguan-codes.csv", tmp_path / "chengguan-codes.html"
    assert [made["codes"], made["sheet"]] == [str(codes), str(sheet)]
    assert {path.stat().st_mode & 0o777 for path in (codes, sheet)} == {0o600}
    rows = list(csv.DictReader(codes.read_text(encoding="utf-8-sig").splitlines()))
    assert [(row["room"], row["name"]) for row in rows] == [("cg-301", "三年级<一>班"), ("cg-302", "")]
    page = sheet.read_text(encoding="utf-8")
    assert "三年级&lt;一&gt;班" in page
    assert page.count("<svg") == 2
    assert "http" not in re.sub(r"https://hub\.district\.example", "", page).replace("http://www.w3.org", "")
    for row in rows:
        assert row["code"] in page
        assert read_ticket(row["ticket"]).hub == "https://hub.district.example"
    with running(config, tmp_path / "data") as hub:
        keys = [new_device_key() for _ in rows]
        for row, key in zip(rows, keys, strict=True):
            assert show(hub.where["http"], row["code"], key).status_code == 202
        assert {one["state"] for one in told("claims", "--config", config)} == {"waiting"}
        confirmed = told("confirm", "--school", "城关小学", "--config", config)
        assert [one["room"] for one in confirmed] == ["cg-301", "cg-302"]
        for row, key in zip(rows, keys, strict=True):
            assert show(hub.where["http"], row["code"], key).json()["room"] == row["room"]
    assert {one["device"] for one in told("claims", "--config", config)} == {"cg-301", "cg-302"}


def test_a_file_with_faults_makes_no_code_and_names_each_line(tmp_path: Path):
    config = settings(tmp_path)
    rooms = tmp_path / "rooms.csv"
    rooms.write_text(
        "school,room,name\n城关小学,cg-1,\n\n,cg-2,\n城关小学,CG 3,\n城关小学\n城关小学,cg-5,\n城关小学,cg-5,\n"
    )
    code, words = say("enrol", "--csv", rooms, "--config", config)
    assert code == 2
    assert re.findall(r"line (\d+)", words) == ["4", "5", "6", "7", "8"]
    assert told("claims", "--config", config) == []
    assert not (tmp_path / "rooms-codes.csv").exists()


@pytest.mark.parametrize(
    "text, words",
    [
        ("", "heading school and room is missing"),
        ("school,room\n", "lists no rooms"),
        ("school,name\nx,y\n", "heading room is missing"),
        ("school,room\nx,'a\n", "cannot be a room"),
    ],
)
def test_a_file_that_is_no_list_of_rooms_is_refused_in_words(tmp_path: Path, text: str, words: str):
    config = settings(tmp_path)
    (tmp_path / "rooms.csv").write_text(text)
    code, told_words = say("enrol", "--csv", tmp_path / "rooms.csv", "--config", config)
    assert (code, words in told_words) == (2, True), told_words


def test_a_camera_reads_the_code_off_the_terminal(tmp_path: Path):
    config = settings(tmp_path, 'url = "https://hub.district.example:8443"')
    code, words = say("enrol", "--school", "城关小学", "--room", "room-301", "--config", config)
    assert code == 0
    typed = re.search(r"[2-9A-Z]{4}-[2-9A-Z]{4}-[2-9A-Z]{4}", words)[0]
    ticket = read_ticket(seen(words))
    assert (ticket.hub, ticket.code) == ("https://hub.district.example:8443", typed)
    assert f"tongtang agent enrol {typed} --hub https://hub.district.example:8443" in words


def test_an_address_that_no_classroom_reaches_is_told(tmp_path: Path):
    config = settings(tmp_path)
    ask = ["enrol", "--school", "城关小学", "--room", "room-301", "--config", config]
    assert "is this machine alone; set url under [http]" in say(*ask)[1]
    assert "this machine alone" not in say(*ask, "--url", "https://hub.district.example")[1]


def test_the_codes_name_the_hub_by_its_certificate(tmp_path: Path):
    certificate, key = Authority(tmp_path).certificate("hub.district.example")
    config = settings(
        tmp_path, f'host = "0.0.0.0"\ntls_cert = "{certificate.as_posix()}"\ntls_key = "{key.as_posix()}"'
    )
    config.write_text(config.read_text().replace("port = 0", "port = 8443", 1))
    made = told("enrol", "--school", "城关小学", "--room", "room-301", "--config", config)
    assert made["hub"] == "https://hub.district.example:8443"
    assert (
        told("enrol", "--school", "x", "--room", "r-2", "--config", config, "--url", "https://h/")["hub"] == "https://h"
    )


@pytest.mark.parametrize(
    "command, words",
    [
        (["enrol"], "either --school and --room, or --csv"),
        (["enrol", "--room", "room-1"], "the school is missing"),
        (["enrol", "--csv", "nowhere.csv"], "nowhere.csv: No such file"),
        (["confirm"], "either rooms, or --school"),
        (["confirm", "room-1"], "no machine waits for room room-1"),
        (["confirm", "--school", "nobody"], "no machine waits in a school called nobody"),
        (["revoke", "room-9"], "there is no device room-9"),
        (["revoke", "../x"], "cannot be a device"),
    ],
)
def test_what_cannot_be_done_is_told_in_words(tmp_path: Path, command: list[str], words: str):
    config = settings(tmp_path)
    code, said = say(*command, "--config", config)
    assert (code, words in said) == (2, True), said


@pytest.mark.parametrize(
    "command", [["enrol", "--school", "x", "--room", "room-1"], ["claims"], ["confirm", "r1"], ["revoke", "r1"]]
)
def test_where_there_is_no_hub_none_is_made(tmp_path: Path, command: list[str]):
    code, said = say(*command, "--data", tmp_path / "none")
    assert (code, "tongtang hub init" in said) == (2, True)
    assert not (tmp_path / "none").exists()
