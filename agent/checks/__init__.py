"""`tongtang agent check`: one file for each thing that can be wrong."""

from agent.checks import (
    broker,
    certificate,
    clock,
    disk,
    display,
    hub,
    identity,
    loudspeaker,
    member,
    microphone,
    models,
    recogniser,
    source,
    state,
    trust,
    volume,
)
from agent.checks.line import Check, CheckLine, Verdict
from agent.identity import Identity
from agent.settings import AgentSettings

__all__ = ["CHECKS", "CheckLine", "Verdict", "run_checks"]

CHECKS: tuple[Check, ...] = (
    state.look,
    identity.look,
    certificate.look,
    hub.look,
    member.look,
    broker.look,
    trust.look,
    source.look,
    microphone.look,
    loudspeaker.look,
    display.look,
    models.look,
    recogniser.look,
    disk.look,
    clock.look,
    volume.look,
)


def run_checks(settings: AgentSettings, identity: Identity | None) -> list[CheckLine]:
    """Look at everything a lesson needs, in the order in which one would mend it."""
    return [look(settings, identity) for look in CHECKS]
