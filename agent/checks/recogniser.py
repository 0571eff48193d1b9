"""Is the operator's recogniser of speech what its manifest names, if there is one?"""

import importlib.util

from agent.checks.line import CheckLine, Verdict
from agent.identity import Identity
from agent.settings import AgentSettings
from models import sherpa
from models.manifest import ModelsTrouble
from models.recogniser import read_recogniser, verified


def look(settings: AgentSettings, _identity: Identity | None) -> CheckLine:
    """Read the manifest and hash the files; the model itself is not loaded."""
    manifest = settings.observe.recogniser
    if manifest is None or not settings.observe.enabled:
        return CheckLine("recogniser", Verdict.OK, "none: no words are told")
    try:
        recogniser = read_recogniser(manifest)
        verified(recogniser, manifest.parent)
    except ModelsTrouble as trouble:
        return CheckLine(
            "recogniser", Verdict.WARN, str(trouble), "correct `recogniser` in [observe], or what it names"
        )
    if importlib.util.find_spec(sherpa.PACKAGE) is None:
        words = f"{recogniser.name}: its engine {recogniser.engine} is not installed; no words are told"
        return CheckLine("recogniser", Verdict.WARN, words, "pip install 'tongtang[asr]'")
    told = f"{recogniser.name} ({recogniser.kind}, {recogniser.language}), hashes right; licence {recogniser.licence}"
    return CheckLine("recogniser", Verdict.OK, told)
