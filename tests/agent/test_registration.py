"""How a machine becomes a device with an operator's token, as a person at the machine sees it."""

import json

import pytest

from agent.identity import EnrolledElsewhere, EnrolmentRefused, HubUnreachable, NotEnrolled, load_identity
from agent.registration import register
from contract.keys import load_public, new_hub_key
from tests.agent.enrolling_hub import EnrollingHub


@pytest.fixture
def hub():
    one = EnrollingHub()
    yield one
    one.close()


def test_a_token_registers_this_machine_under_the_names_that_are_given(hub, tmp_path):
    made = register(tmp_path, hub.url + "/", "tt-operator", "d-1", "lead", "一班", "石桥小学")
    again = load_identity(tmp_path)
    assert (again.device, again.room, again.name, again.mqtt_host, again.mqtt_port, again.mqtt_tls) == (
        "d-1",
        "lead",
        "一班",
        "127.0.0.1",
        18830,
        False,
    )
    assert "PRIVATE" not in json.dumps(hub.asked)
    assert load_public(hub.asked[0]["public_key"]) == made.key.public_key()


def test_registering_again_with_the_same_hub_keeps_the_key(hub, tmp_path):
    register(tmp_path, hub.url, "tt-operator", "d-1", "lead")
    register(tmp_path, hub.url, "tt-operator", "d-1", "lead", "new name")
    assert hub.asked[0]["public_key"] == hub.asked[1]["public_key"]
    assert load_identity(tmp_path).name == "new name"


def test_a_hub_that_is_not_there_is_told_with_its_address(tmp_path):
    with pytest.raises(HubUnreachable, match=r"http://127\.0\.0\.1:1 "):
        register(tmp_path, "http://127.0.0.1:1", "tt-operator", "d-1", "lead", timeout_s=2)
    with pytest.raises(NotEnrolled, match="tongtang agent enrol"):
        load_identity(tmp_path)


def test_a_wrong_token_and_a_taken_room_are_told_apart(hub, tmp_path):
    with pytest.raises(EnrolmentRefused, match="operator token"):
        register(tmp_path, hub.url, "tt-wrong", "d-1", "lead")
    with pytest.raises(EnrolmentRefused, match="already has device d-0"):
        register(tmp_path, hub.url, "tt-operator", "d-1", "taken")


def test_a_device_of_another_hub_is_not_taken_over(hub, tmp_path):
    register(tmp_path, hub.url, "tt-operator", "d-1", "lead")
    other = EnrollingHub()
    with pytest.raises(EnrolledElsewhere, match="d-1"):
        register(tmp_path, other.url, "tt-operator", "d-1", "lead")
    other.close()
    hub.key = new_hub_key()
    with pytest.raises(EnrolledElsewhere, match="another key"):
        register(tmp_path, hub.url, "tt-operator", "d-1", "lead")
    assert load_identity(tmp_path).hub_url == hub.url
