"""A mosquitto that somebody else runs, set up with what `tongtang hub broker-config` writes."""

import json
import subprocess
import time

import pytest
from cryptography import x509
from typer.testing import CliRunner

from contract import topics
from contract.keys import new_device_key, public_pem
from hub.broker import embedded
from hub.broker.embedded import choose, find_mosquitto
from hub.broker.errors import BrokerUnusable
from hub.broker.gate import open_gate
from hub.broker.mosquitto import find_plugin
from hub.broker.port import free_port, listening
from hub.checks import broker as check
from hub.checks.line import Verdict
from hub.cli import app
from hub.fleet.authority import Authority
from hub.fleet.devices import Devices, NewDevice
from hub.founding import init
from hub.platform import account
from hub.settings import HubSettings, load_settings
from hub.store.certificates import CertificateRecord
from hub.store.store import Store
from tests.hub.broker.conftest import MINE
from tests.hub.broker.speaker import eventually
from tests.hub.broker.visitor import Paper, Visitor


def settings_in(folder, port, hub_port=0):
    file = folder / "hub.toml"
    data = (folder / "data").as_posix()
    file.write_text(f'data = "{data}"\nbroker = "mqtts://127.0.0.1:{port}"\n[mqtt]\nhub_port = {hub_port}\n')
    return file


def written(config, out):
    words = ["broker-config", "--config", str(config), "--out", str(out), "--json"]
    words += ["--plugin", str(find_plugin(find_mosquitto()))]
    told = CliRunner().invoke(app, words)
    assert told.exit_code == 0, told.output
    return json.loads(told.output)


@MINE
@pytest.mark.parametrize("own_door", [True, False])
def test_what_is_written_makes_a_mosquitto_this_hubs_broker(tmp_path, own_door):
    port, hub_port = free_port("127.0.0.1"), free_port("127.0.0.1")
    config = settings_in(tmp_path, port, hub_port if own_door else 0)
    init(tmp_path / "data")
    settings = load_settings(config)
    authority = Authority.open(settings)
    store = Store.open(settings.database_url)
    devices = Devices(store.devices, time.time, lambda _: None)
    devices.register(new_device("dev-a"))
    paper = Paper(tmp_path, authority, "dev-a")
    store.certificates.add(CertificateRecord(paper.serial, "dev-a", time.time(), time.time() + 1000))
    out = tmp_path / "out"
    assert written(config, out)["devices"] == 1
    conf = out / "mosquitto.conf"
    conf.write_text(f"{conf.read_text()}user {account()}\n")  # the tests may run as root
    visitors = []
    with subprocess.Popen([find_mosquitto(), "-c", conf], stderr=subprocess.DEVNULL) as running:
        broker = choose(
            settings.broker,
            "",
            0,
            tmp_path,
            gate=open_gate(settings, authority, store.devices, time.time),
            hub_port=settings.mqtt.hub_port,
        )
        try:
            eventually(lambda: listening("127.0.0.1", port))
            assert check.look(settings).verdict is Verdict.OK
            broker.start()
            assert broker.hub_address == ("127.0.0.1", hub_port if own_door else port)

            def visit(paper):
                visitors.append(Visitor(port, paper.context(authority), paper.device))
                return visitors[-1]

            device = visit(paper)
            assert device.subscribe(topics.command("dev-a"), topics.command("dev-b")) == [True, False]
            devices.register(new_device("dev-b"))
            broker.admit("dev-b")
            other = visit(Paper(tmp_path, authority, "dev-b"))
            assert other.subscribe(topics.command("dev-b")) == [True]
            devices.revoke("dev-a", "a test")
            broker.revoke("dev-a", b"")
            eventually(lambda: not device.there)
            assert visit(paper).subscribe(topics.command("dev-a")) == [False]
            assert other.there
            written(config, out)
            assert paper.serial in revoked_in(out / "crl.pem")
        finally:
            for visitor in visitors:
                visitor.close()
            broker.stop()
            store.close()
            running.terminate()


@MINE
def test_a_change_that_an_absent_broker_misses_is_told_when_it_is_there(tmp_path, monkeypatch):
    monkeypatch.setattr(embedded, "TELL_WAIT_S", 0.1)
    port = free_port("127.0.0.1")
    config = settings_in(tmp_path, port)
    init(tmp_path / "data")
    settings = load_settings(config)
    authority = Authority.open(settings)
    store = Store.open(settings.database_url)
    written(config, tmp_path / "out")
    conf = tmp_path / "out" / "mosquitto.conf"
    conf.write_text(f"{conf.read_text()}user {account()}\n")
    broker = choose(settings.broker, "", 0, tmp_path, gate=open_gate(settings, authority, store.devices, time.time))
    broker.start()
    broker.admit("dev-a")
    with subprocess.Popen([find_mosquitto(), "-c", conf], stderr=subprocess.DEVNULL) as running:
        try:
            eventually(lambda: listening("127.0.0.1", port))
            context = Paper(tmp_path, authority, "dev-a").context(authority)

            def heard():
                visitor = Visitor(port, context, "dev-a")
                granted = visitor.came_in and visitor.subscribe(topics.command("dev-a")) == [True]
                visitor.close()
                return granted

            eventually(heard, within_s=20)
        finally:
            broker.stop()
            store.close()
            running.terminate()


def test_settings_without_an_external_broker_are_told_in_words(tmp_path):
    init(tmp_path / "data")
    told = CliRunner().invoke(app, ["broker-config", "--data", str(tmp_path / "data"), "--out", str(tmp_path / "out")])
    assert told.exit_code == 2
    assert "set broker = mqtts://host:port" in told.output
    assert not (tmp_path / "out").exists()


def test_where_mosquitto_lacks_its_plugin_auto_takes_the_other_broker_and_says_so(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr("hub.broker.mosquitto.LIBRARIES", ())
    program = tmp_path / "sbin" / "mosquitto"
    program.parent.mkdir()
    program.touch()
    init(tmp_path / "data")
    settings = HubSettings(data=tmp_path / "data")
    store = Store.open(settings.database_url)
    gate = open_gate(settings, Authority.open(settings), store.devices, time.time)

    def chosen(text):
        return choose(text, "127.0.0.1", 1, tmp_path, lambda: program, gate).name

    assert chosen("auto") == "amqtt"
    assert "no dynamic-security plugin" in caplog.text
    with pytest.raises(BrokerUnusable, match="no dynamic-security plugin"):
        chosen("mosquitto")
    plugin = tmp_path / "lib" / "any-machine" / "mosquitto_dynamic_security.so"
    plugin.parent.mkdir(parents=True)
    plugin.touch()
    assert (chosen("auto"), find_plugin(program)) == ("mosquitto", plugin)
    store.close()


def new_device(name):
    return NewDevice(name, f"room-{name}", name, "", public_pem(new_device_key()))


def revoked_in(file):
    return {format(one.serial_number, "x") for one in x509.load_pem_x509_crl(file.read_bytes())}
