import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time

import paho.mqtt.client as paho
import psutil
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from hub.broker import embedded, port
from hub.broker.embedded import ExternalBroker, choose, find_mosquitto
from hub.broker.errors import BrokerUnusable
from hub.broker.port import free_port, listening
from tests.hub.broker.conftest import MINE
from tests.hub.broker.speaker import Speaker, eventually

CHILD = """
import sys, time
from pathlib import Path
from hub.broker.embedded import choose
broker = choose("mosquitto", "127.0.0.1", int(sys.argv[1]), Path(sys.argv[2]))
broker.start()
print("up", flush=True)
time.sleep(60)
"""


def test_auto_takes_mosquitto_where_it_is_installed_else_the_builtin_one(tmp_path):
    named = [choose("auto", "127.0.0.1", 1, tmp_path, find).name for find in (lambda: tmp_path / "m", lambda: None)]
    assert named == ["mosquitto", "amqtt"]
    assert choose("amqtt", "127.0.0.1", 1, tmp_path, lambda: tmp_path / "m").name == "amqtt"


def test_an_address_means_a_broker_that_others_look_after(tmp_path):
    broker = choose("mqtt://broker.school:1884", "127.0.0.1", 1, tmp_path)
    assert isinstance(broker, ExternalBroker)
    assert (broker.host, broker.port) == ("broker.school", 1884)


def test_a_wanted_mosquitto_that_is_missing_is_told_in_words(tmp_path):
    with pytest.raises(BrokerUnusable, match="not installed; install it"):
        choose("mosquitto", "127.0.0.1", 1, tmp_path, lambda: None)


def test_mosquitto_is_found_beside_the_path(monkeypatch, tmp_path):
    program = tmp_path / "mosquitto"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(embedded, "SBIN", tmp_path)
    assert find_mosquitto() == program


@pytest.mark.parametrize("kind", ["amqtt", pytest.param("mosquitto", marks=MINE)])
def test_a_port_that_another_program_holds_is_told_in_words(tmp_path, monkeypatch, kind):
    monkeypatch.setattr(port, "PORT_WAIT_S", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        with pytest.raises(BrokerUnusable, match=f"port {taken} .* is taken by another program"):
            choose(kind, "127.0.0.1", taken, tmp_path).start()


def test_a_broker_listens_when_it_is_started_and_not_when_it_is_stopped(broker):
    assert listening(broker.host, broker.port)
    broker.stop()
    assert not listening(broker.host, broker.port)


def test_the_newer_of_two_connections_of_one_client_stays(broker):
    def visitor(gone):
        client = paho.Client(CallbackAPIVersion.VERSION2, client_id="dev-1", reconnect_on_failure=False)
        client.on_disconnect = lambda *_: gone.set()
        client.connect(broker.host, broker.port)
        client.loop_start()
        return client

    ends = threading.Event(), threading.Event()
    older = visitor(ends[0])
    eventually(older.is_connected)
    newer = visitor(ends[1])
    assert ends[0].wait(10)
    eventually(newer.is_connected)
    assert not ends[1].wait(0.5)
    for client in (older, newer):
        client.disconnect()
        client.loop_stop()


def test_whoever_connects_is_given_the_retained_messages_of_its_own_subscriptions_alone(broker):
    def listener(name, *filters):
        heard, ready = [], threading.Event()
        client = paho.Client(CallbackAPIVersion.VERSION2, client_id=name)
        client.on_connect = lambda *_: client.subscribe([(one, 1) for one in filters])
        client.on_subscribe = lambda *_: ready.set()
        client.on_message = lambda _client, _data, message: heard.append((message.topic, message.payload))
        client.connect(broker.host, broker.port)
        client.loop_start()
        assert ready.wait(10)
        return client, heard

    first, heard = listener("dev-1", "tt/v1/dev-1/state", "tt/v1/+/twin/desired")
    first.publish("tt/v1/dev-1/state", b"here", qos=1, retain=True)
    first.publish("tt/v1/dev-1/twin/desired", b"brighter", qos=1, retain=True)
    eventually(lambda: len(heard) == 2)
    second, other = listener("dev-2", "tt/v1/dev-2/state", "tt/v1/hub/state")
    second.publish("tt/v1/hub/state", b"last", qos=1, retain=True)
    eventually(lambda: ("tt/v1/hub/state", b"last") in other)
    assert {topic for topic, _ in other} == {"tt/v1/hub/state"}
    third, own = listener("dev-3", "tt/v1/dev-1/state")
    eventually(lambda: ("tt/v1/dev-1/state", b"here") in own)
    for client in (first, second, third):
        client.disconnect()
        client.loop_stop()


def test_a_mosquitto_that_dies_is_started_again_and_clients_come_back(mosquitto):
    speaker = Speaker("dev-1", mosquitto.port)
    first = mosquitto._child.pid
    mosquitto._child.kill()
    eventually(lambda: not speaker.ready.is_set())

    def tended():
        mosquitto.tend()
        return speaker.ready.is_set()

    eventually(tended)
    assert mosquitto._child.pid != first
    speaker.close()


def test_a_mosquitto_that_cannot_start_says_what_mosquitto_says(tmp_path):
    program = tmp_path / "broken"
    program.write_text(f"#!{sys.executable}\nimport sys; sys.exit('no such option')\n")
    program.chmod(0o755)
    with pytest.raises(BrokerUnusable, match="no such option"):
        choose("mosquitto", "127.0.0.1", free_port("127.0.0.1"), tmp_path / "b", lambda: program).start()


@MINE
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ties a child to its parent")
def test_a_mosquitto_dies_with_a_hub_that_is_killed(tmp_path):
    hub, broker, _ = hub_with_mosquitto(tmp_path)
    hub.send_signal(signal.SIGKILL)
    hub.wait()
    eventually(lambda: not broker.is_running() or broker.status() == psutil.STATUS_ZOMBIE)


@MINE
def test_a_mosquitto_that_was_left_behind_is_ended_by_the_next_hub(tmp_path, monkeypatch):
    monkeypatch.setattr("hub.broker.mosquitto.tied_to_parent", lambda command: command)
    port = free_port("127.0.0.1")
    left = choose("mosquitto", "127.0.0.1", port, tmp_path)
    left.start()
    child, left._child = left._child, None
    following = choose("mosquitto", "127.0.0.1", port, tmp_path)
    following.start()
    assert child.wait(5) is not None
    assert listening("127.0.0.1", port)
    following.stop()


@MINE
def test_a_pid_file_that_names_another_process_ends_nobody(tmp_path):
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as bystander:
        (tmp_path / "mosquitto.pid.json").write_text(json.dumps({"pid": bystander.pid, "created": 1.0}))
        broker = choose("mosquitto", "127.0.0.1", free_port("127.0.0.1"), tmp_path)
        broker.start()
        broker.stop()
        assert bystander.poll() is None
        bystander.kill()


def hub_with_mosquitto(tmp_path):
    port = free_port("127.0.0.1")
    hub = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(port), str(tmp_path)], stdout=subprocess.PIPE, env=dict(os.environ)
    )
    assert hub.stdout.readline() == b"up\n"
    hub.stdout.close()
    pid = json.loads((tmp_path / "mosquitto.pid.json").read_text())["pid"]
    broker = psutil.Process(pid)
    assert broker.name() == "mosquitto"
    time.sleep(0.05)
    return hub, broker, port
