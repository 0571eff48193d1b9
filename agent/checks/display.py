"""Is there a screen for the overlay, and for `screen:N`?"""

from agent.checks.line import CheckLine, Verdict
from agent.identity import Identity
from agent.platform import display_there
from agent.settings import AgentSettings


def look(_settings: AgentSettings, _identity: Identity | None) -> CheckLine:
    """Ask the session this command runs in; the service itself starts before anybody signs in."""
    there = display_there()
    if there is None:
        return CheckLine("display", Verdict.OK, "not looked for: this system shows it to whoever signs in")
    if there:
        return CheckLine("display", Verdict.OK, "this session has a screen")
    words = "this session has no screen; the overlay and `screen:N` need one, a lesson does not"
    return CheckLine("display", Verdict.WARN, words, "run the check once where the teacher signs in")
