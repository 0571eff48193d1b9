import json
import re

import pytest

from contract import topics
from hub.broker.acl import HUB_PUBLISHES, HUB_SUBSCRIBES, covers, rules_of
from hub.broker.dynsec import ANSWERS, COMMANDS, admission, document, expulsion, refusals
from hub.broker.link import SUBSCRIPTIONS


@pytest.mark.parametrize(
    ("pattern", "asked", "whole"),
    [
        ("tt/v1/a/ack", "tt/v1/a/ack", True),
        ("tt/v1/a/ack", "tt/v1/a/+", False),
        ("tt/v1/a/ack", "tt/v1/+/ack", False),
        ("tt/v1/a/ack", "tt/v1/a/ack/more", False),
        ("tt/v1/a/ack", "tt/v1/a", False),
        ("tt/v1/#", "tt/v1/+/tele", True),
        ("tt/v1/#", "tt/v1/#", True),
        ("tt/v1/#", "#", False),
        ("tt/v1/#", "tt/+/a", False),
        ("tt/+/a", "tt/#", False),
        ("tt/+/a", "tt/+/a", True),
    ],
)
def test_a_pattern_covers_a_filter_only_where_it_covers_all_of_it(pattern, asked, whole):
    assert covers(pattern, asked) is whole


def test_every_topic_of_the_contract_is_said_by_one_side_and_heard_by_the_other():
    readers = {"device_of", "parted"}
    named = [topic for name in dir(topics) if callable(topic := getattr(topics, name)) and name not in readers]
    device, hub = rules_of("dev-a"), rules_of("hub")
    for topic in (topic("dev-a") for topic in named):
        assert hub.may_publish(topic)
        assert hub.may_receive(topic)
        assert device.may_publish(topic) or device.may_subscribe(topic), topic
        both = device.may_publish(topic) and device.may_subscribe(topic)
        assert both is (topic == topics.state("dev-a"))


def test_the_hub_may_ask_for_all_that_it_asks_for():
    assert all(rules_of("hub").may_subscribe(asked) for asked, _ in SUBSCRIPTIONS)
    assert rules_of("hub").may_subscribe(f"$share/hub/{topics.tele('+')}")
    assert (HUB_PUBLISHES, len(HUB_SUBSCRIBES)) == (("tt/v1/#",), 2)


def test_the_file_for_mosquitto_says_what_the_rules_say():
    told = json.loads(document(["dev-a", "dev-b"]))
    assert not any(
        told["defaultACLAccess"][kind] for kind in ("publishClientSend", "publishClientReceive", "subscribe")
    )
    roles = {role["rolename"]: role["acls"] for role in told["roles"]}
    assert [client["username"] for client in told["clients"]] == ["hub", "dev-a", "dev-b"]
    for client in told["clients"]:
        name, (role,) = client["username"], client["roles"]
        rules = rules_of(name)
        acls = roles[role["rolename"]]
        assert all(acl["allow"] for acl in acls)
        kinds = {kind: {acl["topic"] for acl in acls if re.match(kind, acl["acltype"])} for kind in KINDS}
        own = {COMMANDS, ANSWERS} if name == "hub" else set()
        assert kinds["publishClientSend"] - own == set(rules.publishes)
        assert kinds["subscribe"] - own == set(rules.subscribes)
        assert kinds["publishClientReceive"] - own == {one for one in rules.subscribes if not one.startswith("$")}
    assert not any("$CONTROL" in acl["topic"] for acl in roles["may-dev-a"])


KINDS = ("publishClientSend", "publishClientReceive", "subscribe")


def test_a_change_that_was_made_before_is_no_error_and_another_refusal_is():
    assert [one["command"] for one in admission("dev-a") + expulsion("dev-a")] == [
        "createRole",
        "createClient",
        "deleteClient",
        "deleteRole",
    ]
    answers = [
        {"command": "createRole", "error": "Role already exists"},
        {"command": "deleteClient", "error": "Client not found"},
        {"command": "deleteRole"},
        {"command": "createClient", "error": "Internal error"},
    ]
    assert refusals(answers) == ["createClient: Internal error"]
