"""Is there a microphone, and PortAudio to hear it with?"""

import importlib
from typing import Any

from agent.capture.sources import parse_source
from agent.capture.spec import Scheme, SourceRefused, shown
from agent.checks.line import CheckLine, Verdict
from agent.identity import Identity
from agent.settings import AgentSettings


def look(settings: AgentSettings, _identity: Identity | None) -> CheckLine:
    """Load PortAudio and count what can be heard with; opens nothing."""
    try:
        spec = parse_source(settings.sources.source)
    except SourceRefused:
        return CheckLine("microphone", Verdict.WARN, "not looked for, because the source is not understood")
    wanted = spec.sound is not None and spec.sound.scheme is Scheme.MIC
    bad = Verdict.BAD if wanted else Verdict.OK
    tail = "" if wanted else f"; {shown(settings.sources.source)} needs none"
    try:
        names = _heard_with()
    except OSError as error:
        todo = "install PortAudio (Debian, UOS, Kylin: libportaudio2)" if wanted else ""
        return CheckLine("microphone", bad, f"PortAudio is not there ({error}){tail}", todo)
    except RuntimeError as error:
        todo = "restart the machine's sound service" if wanted else ""
        return CheckLine("microphone", bad, f"PortAudio does not work ({error}){tail}", todo)
    if not names:
        todo = "plug one in, and let the account of the service into the group `audio`" if wanted else ""
        return CheckLine("microphone", bad, f"no microphone is there{tail}", todo)
    return CheckLine("microphone", Verdict.OK, f"{len(names)} there: {', '.join(names[:3])}")


def _heard_with() -> list[str]:
    """Names of all devices with an input.

    Raises:
        OSError: the PortAudio library is missing.
        RuntimeError: it is there and does not work.
    """
    sounddevice: Any = importlib.import_module("sounddevice")
    try:
        return [str(one["name"]) for one in sounddevice.query_devices() if one["max_input_channels"] > 0]
    except sounddevice.PortAudioError as error:
        raise RuntimeError(str(error)) from error
