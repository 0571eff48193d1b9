"""Does this device belong to a hub?"""

from agent.checks.line import CheckLine, Verdict
from agent.identity import Identity, IdentityRefused, NotEnrolled, load_identity
from agent.settings import AgentSettings


def look(settings: AgentSettings, identity: Identity | None) -> CheckLine:
    """Say who it is, or why it is nobody."""
    try:
        found = identity or load_identity(settings.state)
    except NotEnrolled:
        words = f"this machine belongs to no hub yet ({settings.state} holds no identity)"
        return CheckLine("identity", Verdict.BAD, words, "tongtang agent enrol CODE --hub ADDRESS")
    except IdentityRefused as error:
        return CheckLine("identity", Verdict.BAD, str(error))
    if settings.agent.device not in {None, found.device}:
        words = f"the settings say {settings.agent.device}, but this machine is enrolled as {found.device}"
        return CheckLine("identity", Verdict.WARN, words, "remove `device` from the settings, or enrol anew")
    if "url" in settings.hub.model_fields_set and settings.hub.url.rstrip("/") != found.hub_url:
        words = (
            f"the settings say {settings.hub.url}, but this machine belongs to the hub {found.hub_url}, which counts"
        )
        return CheckLine("identity", Verdict.WARN, words, "mend `url` in [hub] of the settings, or enrol anew")
    return CheckLine("identity", Verdict.OK, f"{found.device} in room {found.room}, hub {found.hub_url}")
