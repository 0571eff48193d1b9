"""Does the wall clock agree with the hub's?"""

import time
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx

from agent.checks.line import CheckLine, Verdict
from agent.identity import HubUntrusted, Identity
from agent.platform import clock_synchronised
from agent.settings import AgentSettings
from agent.trust import hub_trust

TIMEOUT_S = 4.0
APART_S = 5.0


def look(settings: AgentSettings, identity: Identity | None) -> CheckLine:
    """Compare with the hub where it answers; else believe what the system says of its time server.

    Lessons follow the hub's clock by exchanges of their own; the wall clock counts for
    the hours in which the hub is away, for certificates and for people.
    """
    apart = _apart_s(identity.hub_url if identity else settings.hub.url, settings.hub.ca)
    todo = "set the clock, and let it follow a time server of the school network (timedatectl set-ntp true)"
    if apart is not None and abs(apart) > APART_S:
        return CheckLine("clock", Verdict.WARN, f"{abs(apart):.0f} s {_side(apart)} the hub's", todo)
    follows = clock_synchronised()
    if follows is False:
        return CheckLine("clock", Verdict.WARN, "the wall clock follows no time server", todo)
    if apart is not None:
        return CheckLine("clock", Verdict.OK, "agrees with the hub's to the second")
    words = "follows a time server" if follows else "the system does not say whether it follows a time server"
    return CheckLine("clock", Verdict.OK if follows else Verdict.WARN, words, "" if follows else todo)


def _apart_s(url: str, ca: Path | None) -> float | None:
    """This machine's wall clock minus the hub's, in seconds; None where the hub does not tell."""
    try:
        reply = httpx.get(f"{url}/healthz", timeout=TIMEOUT_S, trust_env=False, verify=hub_trust(ca))
        return time.time() - parsedate_to_datetime(reply.headers["date"]).timestamp()
    except (HubUntrusted, httpx.HTTPError, httpx.InvalidURL, KeyError, ValueError):
        return None


def _side(apart_s: float) -> str:
    return "ahead of" if apart_s > 0 else "behind"
