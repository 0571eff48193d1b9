"""The data folder: there, ours, writable, and with a usable key."""

import os

from hub.checks.line import CheckLine, bad, ok
from hub.errors import HubRefused
from hub.founding import hub_key
from hub.settings import HubSettings

NAME = "data folder"


def look(settings: HubSettings) -> CheckLine:
    """Whether there is a hub in the data folder."""
    try:
        hub_key(settings.data)
    except HubRefused as refused:
        return bad(NAME, str(refused), f"tongtang hub init --data {settings.data}")
    if not os.access(settings.data, os.W_OK):
        return bad(NAME, f"{settings.data} cannot be written", "give the hub's account the right to write there")
    return ok(NAME, f"{settings.data} holds a hub and its key")
