"""Is there what the settings want the room to be seen with?"""

import socket
from urllib.parse import urlsplit

from agent.capture.probe import probe
from agent.capture.sources import list_sources, parse_source
from agent.capture.spec import Part, Scheme, SourceRefused, shown
from agent.checks.line import CheckLine, Verdict
from agent.identity import Identity
from agent.settings import AgentSettings

RTSP_PORT = 554
TIMEOUT_S = 4.0
DEVICES = {Scheme.CAMERA, Scheme.SCREEN}


def look(settings: AgentSettings, _identity: Identity | None) -> CheckLine:
    """Understand the source, and look whether what it names is there; no camera is opened."""
    text = settings.sources.source
    try:
        spec = parse_source(text)
        parts = [spec.picture, *(one for one in (spec.sound, spec.slides) if one is not None)]
        wrong = [words for part in parts if (words := _missing(part))]
    except SourceRefused as error:
        return CheckLine("source", Verdict.BAD, str(error), "mend `source` in [sources] of the settings")
    if wrong:
        return CheckLine("source", Verdict.WARN, "; ".join(wrong), "see `tongtang agent sources`")
    return CheckLine("source", Verdict.OK, f"{shown(text)} is there")


def _missing(part: Part) -> str:
    """What is missing of one part, in words; empty where nothing is, or it cannot be told without opening it."""
    if part.scheme is Scheme.FILE:
        probe(part.path)
        return ""
    if part.scheme is Scheme.RTSP:
        return _deaf(part.value)
    if part.scheme in DEVICES:
        return _unlisted(part)
    return ""


def _unlisted(part: Part) -> str:
    line = next((one for one in list_sources() if one.source == str(part)), None)
    if line is not None and line.usable:
        return ""
    why = line.words if line is not None else f"this machine has no {part}"
    return f"{part}: {why} (a lesson is held without it)"


def _deaf(address: str) -> str:
    split = urlsplit(address)
    try:
        where = (split.hostname or "", split.port or RTSP_PORT)
        with socket.create_connection(where, TIMEOUT_S):
            return ""
    except (OSError, ValueError) as error:
        return f"the network camera at {split.hostname} does not answer ({error})"
