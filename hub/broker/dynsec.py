"""The rules in the words of mosquitto's dynamic-security plugin: its file, and the commands that change it.

Mosquitto 2.0 fills no patterns in there, so each device has a role of its own.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from hub.broker.acl import Rules, rules_of
from hub.fleet.authority import HUB_NAME

COMMANDS = "$CONTROL/dynamic-security/v1"
ANSWERS = f"{COMMANDS}/response"
DEFAULTS = {"publishClientSend": False, "publishClientReceive": False, "subscribe": False, "unsubscribe": True}
"""What is not allowed is denied; letting go of a subscription harms nobody."""
HARMLESS = {"create": ("already exists",), "delete": ("not found", "does not exist")}
"""Errors that say that things are as they were to become, by how the command begins."""

Json = dict[str, Any]


def document(devices: Iterable[str]) -> str:
    """`dynamic-security.json` for the hub and these devices."""
    names = [HUB_NAME, *devices]
    found: Json = {
        "defaultACLAccess": DEFAULTS,
        "clients": [{"username": name, "roles": [{"rolename": _role(name)}]} for name in names],
        "groups": [],
        "roles": [{"rolename": _role(name), "acls": _acls(name)} for name in names],
    }
    return json.dumps(found, separators=(",", ":"))


def admission(device: str) -> list[Json]:
    """Commands that let `device` in."""
    return [
        {"command": "createRole", "rolename": _role(device), "acls": _acls(device)},
        {"command": "createClient", "username": device, "roles": [{"rolename": _role(device)}]},
    ]


def expulsion(device: str) -> list[Json]:
    """Commands that take every right from `device` and cut its connection."""
    return [
        {"command": "deleteClient", "username": device},
        {"command": "deleteRole", "rolename": _role(device)},
    ]


def refusals(answers: Sequence[Json]) -> list[str]:
    """What the plugin could not do, in its words."""
    errors = [(str(answer.get("command")), str(answer["error"])) for answer in answers if "error" in answer]
    return [f"{command}: {error}" for command, error in errors if not _harmless(command, error.lower())]


def _harmless(command: str, error: str) -> bool:
    return any(said in error for kind, words in HARMLESS.items() if command.startswith(kind) for said in words)


def _role(name: str) -> str:
    return f"may-{name}"


def _acls(name: str) -> list[Json]:
    rules: Rules = rules_of(name)
    ask = "subscribePattern" if name == HUB_NAME else "subscribeLiteral"
    acls = [
        *(("publishClientSend", topic) for topic in rules.publishes),
        *(("publishClientReceive", topic) for topic in rules.subscribes if not topic.startswith("$")),
        *((ask, topic) for topic in rules.subscribes),
    ]
    if name == HUB_NAME:
        acls += [("publishClientSend", COMMANDS), ("publishClientReceive", ANSWERS), ("subscribeLiteral", ANSWERS)]
    return [{"acltype": kind, "topic": topic, "allow": True} for kind, topic in acls]
