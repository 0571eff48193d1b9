"""Does the hub answer over HTTP?"""

import httpx

from agent.checks.line import CheckLine, Verdict
from agent.identity import HubUntrusted, Identity
from agent.settings import AgentSettings
from agent.trust import hub_trust, untrusted

TIMEOUT_S = 4.0


def look(settings: AgentSettings, identity: Identity | None) -> CheckLine:
    """Ask for `/healthz`."""
    url = identity.hub_url if identity else settings.hub.url
    todo = f"start the hub, check the address and the network cable; try: curl {url}/healthz"
    try:
        reply = httpx.get(f"{url}/healthz", timeout=TIMEOUT_S, trust_env=False, verify=hub_trust(settings.hub.ca))
    except HubUntrusted as error:
        return CheckLine("hub", Verdict.BAD, str(error))
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        if words := untrusted(url, error):
            return CheckLine("hub", Verdict.BAD, words)
        words = f"{url} does not answer ({str(error) or type(error).__name__}); lessons are recorded all the same"
        return CheckLine("hub", Verdict.BAD, words, todo)
    if reply.is_error:
        return CheckLine("hub", Verdict.BAD, f"{url} answers HTTP {reply.status_code}; is it a Tongtang hub?", todo)
    return CheckLine("hub", Verdict.OK, f"{url} answers in {reply.elapsed.total_seconds() * 1000:.0f} ms")
