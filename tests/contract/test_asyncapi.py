"""The AsyncAPI document against the code: topics, subscriptions, directions."""

import inspect
import json
from pathlib import Path

import pytest

from agent.report.report import Report
from agent.settings import AgentSettings
from contract import asyncapi, topics
from contract.asyncapi import Side, document, heard_by, sent_by
from contract.keys import new_device_key, new_hub_key
from hub.broker.acl import DEVICE_PUBLISHES, DEVICE_SUBSCRIBES, EVERY_DEVICE_SUBSCRIBES
from hub.broker.link import SUBSCRIPTIONS
from tests.agent.report.conftest import identity_of

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def told():
    return document()


def functions():
    """Every function of `contract.topics` that makes a topic."""
    made = [one for name, one in inspect.getmembers(topics, inspect.isfunction) if name != "device_of"]
    assert len(made) >= 10
    return made


def addresses(told):
    return {one["address"] for one in told["channels"].values()}


def operations(told, action, side):
    """Addresses that `side` is said to send to or receive from."""
    return {
        told["channels"][one["channel"]["$ref"].rpartition("/")[2]]["address"]
        for one in told["operations"].values()
        if one["action"] == action and one["tags"] == [{"name": side}]
    }


def test_the_committed_document_is_what_the_code_says(told):
    committed = json.loads((ROOT / "docs" / "asyncapi.json").read_text(encoding="utf-8"))
    assert committed == told, "docs/asyncapi.json is old; run: make docs"


def test_every_topic_is_a_channel_and_no_channel_is_anything_else(told):
    assert addresses(told) == {make("{device}") for make in functions()} | {topics.HUB_STATE}


def test_what_the_hub_subscribes_to_is_what_it_is_said_to_receive(told):
    subscribed = {topic.removeprefix("$share/hub/").replace("+", "{device}") for topic, _ in SUBSCRIPTIONS}
    assert operations(told, "receive", "hub") == heard_by(Side.HUB) == subscribed


def test_what_a_device_subscribes_to_is_what_it_is_said_to_receive(told, tmp_path):
    settings = AgentSettings.model_validate({"agent": {"state": tmp_path}})
    identity = identity_of(new_device_key(), new_hub_key().public_key(), 1, device="d-1")
    report = Report(identity, settings, incarnation="i-1")
    try:
        taken = [*report._link._handlers, topics.signal_down("d-1")]
        subscribed = {one.replace("/d-1/", "/{device}/") for one in taken}
    finally:
        report.stop(drain_s=0)
    # Commands and twins are taken by what the service adds to the link.
    added = {topics.command("{device}"), topics.twin_desired("{device}")}
    assert operations(told, "receive", "device") == subscribed | added


def test_what_a_device_may_say_and_hear_is_what_the_broker_lets_it(told):
    says = {make("{device}") for make in DEVICE_PUBLISHES}
    hears = {make("{device}") for make in DEVICE_SUBSCRIBES} | set(EVERY_DEVICE_SUBSCRIBES)
    assert operations(told, "send", "device") == sent_by(Side.DEVICE) == says
    assert operations(told, "receive", "device") == heard_by(Side.DEVICE) == hears


def test_whatever_is_sent_is_heard_by_the_other_side(told):
    for one in asyncapi.CHANNELS:
        other = Side.HUB if one.sender is Side.DEVICE else Side.DEVICE
        assert other in one.hearers, one.name


def test_everything_that_is_referred_to_is_there(told):
    def refs(node):
        if isinstance(node, dict):
            if isinstance(node.get("$ref"), str):
                yield node["$ref"]
            for inner in node.values():
                yield from refs(inner)
        elif isinstance(node, list):
            for inner in node:
                yield from refs(inner)

    found = set(refs(told))
    assert len(found) > 30
    for ref in found:
        node = told
        for step in ref.removeprefix("#/").split("/"):
            assert step in node, ref
            node = node[step]


def test_signed_messages_travel_in_an_envelope_and_rows_do_not(told):
    messages = told["components"]["messages"]
    assert messages["Row"]["payload"] == {"$ref": "#/components/schemas/Row"}
    order = messages["SignedOrder"]["payload"]["allOf"]
    assert order[0] == {"$ref": "#/components/schemas/Envelope"}
    assert order[1]["properties"]["body"]["contentSchema"] == {"$ref": "#/components/schemas/Order"}


def test_the_broker_asks_for_a_certificate(told):
    server = told["servers"]["district"]
    assert server["protocol"] == "mqtts"
    assert server["security"] == [{"$ref": "#/components/securitySchemes/certificate"}]
    assert told["components"]["securitySchemes"]["certificate"]["type"] == "X509"
