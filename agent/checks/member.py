"""Does the hub know this device?"""

import time
from email.utils import parsedate_to_datetime

import httpx

from agent.certificate import certificate_pem
from agent.checks.line import CheckLine, Verdict
from agent.hubdoor import reason
from agent.identity import HubUntrusted, Identity, device_token
from agent.settings import AgentSettings
from agent.trust import hub_trust

TIMEOUT_S = 4.0
ANEW = "make a new code for this room at the hub, say here `tongtang agent enrol CODE --anew`, start the service again"


def look(settings: AgentSettings, identity: Identity | None) -> CheckLine:
    """Ask for what every device may have, with a token that its key signed; takes and changes nothing."""
    if identity is None:
        return CheckLine("member", Verdict.WARN, "not looked at before this machine is enrolled", "enrol it first")
    try:
        answer = _asked(settings, identity)
    except (HubUntrusted, httpx.HTTPError, httpx.InvalidURL, ValueError):  # the latter: a date that is none
        words = "the hub could not be asked whether it knows this device"
        return CheckLine("member", Verdict.WARN, words, "mend what the line `hub` says")
    if answer.is_success:
        return CheckLine("member", Verdict.OK, f"the hub knows {identity.device}")
    if answer.status_code == httpx.codes.FORBIDDEN:
        return CheckLine("member", Verdict.BAD, reason(answer))
    if answer.status_code == httpx.codes.UNAUTHORIZED:
        words = (
            f"the hub at {identity.hub_url} does not know {identity.device} by this machine's key: it was set up anew, "
            "was restored from a backup made before this machine was enrolled, or gave its name to another machine"
        )
        return CheckLine("member", Verdict.BAD, words, ANEW)
    return CheckLine("member", Verdict.WARN, f"the hub answers HTTP {answer.status_code}", "look at the hub's log")


def _asked(settings: AgentSettings, identity: Identity) -> httpx.Response:
    """The hub's answer; where it does not take this machine's time, to a token made by the time in its answer."""

    def ask(at: float) -> httpx.Response:
        token = device_token(identity, at, certificate_pem(settings.state) if identity.mqtt_tls else "")
        return httpx.options(
            f"{identity.hub_url}/api/v1/uploads/",
            headers={"Authorization": f"Bearer {token}"},
            timeout=TIMEOUT_S,
            trust_env=False,
            verify=hub_trust(settings.hub.ca),
        )

    answer = ask(time.time())
    if answer.status_code == httpx.codes.UNAUTHORIZED and "date" in answer.headers:
        answer = ask(parsedate_to_datetime(answer.headers["date"]).timestamp())
    return answer
