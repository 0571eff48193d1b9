"""Is the microphone there that the source names, and PortAudio to hear it with?"""

from agent.capture import microphone
from agent.capture.sources import parse_source
from agent.capture.spec import Scheme, SourceRefused, shown
from agent.checks.line import CheckLine, Verdict
from agent.checks.portaudio import NoPortAudio, names
from agent.identity import Identity
from agent.settings import AgentSettings


def look(settings: AgentSettings, _identity: Identity | None) -> CheckLine:
    """Load PortAudio and look for what can be heard with; opens nothing."""
    try:
        spec = parse_source(settings.sources.source)
    except SourceRefused:
        return CheckLine("microphone", Verdict.WARN, "not looked for, because the source is not understood")
    wanted = spec.sound is not None and spec.sound.scheme is Scheme.MIC
    bad = Verdict.BAD if wanted else Verdict.OK
    tail = "" if wanted else f"; {shown(settings.sources.source)} needs none"
    try:
        found = names("input")
    except NoPortAudio as error:
        return CheckLine("microphone", bad, f"{error}{tail}", error.todo if wanted else "")
    if not found:
        todo = "plug one in, and let the account of the service into the group `audio`" if wanted else ""
        return CheckLine("microphone", bad, f"no microphone is there{tail}", todo)
    if wanted and spec.sound is not None and (words := microphone.missing_words(spec.sound.value)):
        return CheckLine("microphone", bad, words, "mend `source` in [sources] of the settings")
    return CheckLine("microphone", Verdict.OK, f"{len(found)} there: {', '.join(found[:3])}")
