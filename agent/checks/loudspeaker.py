"""Is the loudspeaker there that the other rooms are to be heard with?"""

from agent.checks.line import CheckLine, Verdict
from agent.checks.portaudio import NoPortAudio, names
from agent.identity import Identity
from agent.settings import AgentSettings

UNHEARD = "; a lesson is held, and the other rooms are not heard here"


def look(settings: AgentSettings, _identity: Identity | None) -> CheckLine:
    """Load PortAudio and look for what can be heard; opens nothing and makes no sound."""
    wanted = settings.sources.loudspeaker
    if wanted == "none":
        return CheckLine("loudspeaker", Verdict.OK, "not needed: `loudspeaker` in [sources] is none")
    try:
        found = names("output")
    except NoPortAudio as error:
        return CheckLine("loudspeaker", Verdict.WARN, f"{error}{UNHEARD}", error.todo)
    if not found:
        todo = "plug one in, and let the account of the service into the group `audio`"
        return CheckLine("loudspeaker", Verdict.WARN, f"no loudspeaker is there{UNHEARD}", todo)
    if wanted != "default" and not any(wanted.lower() in name.lower() for name in found):
        words = f"there is no loudspeaker {wanted!r}; this machine has {', '.join(found)}{UNHEARD}"
        return CheckLine("loudspeaker", Verdict.WARN, words, "mend `loudspeaker` in [sources] of the settings")
    return CheckLine("loudspeaker", Verdict.OK, f"{len(found)} there: {', '.join(found[:3])}")
