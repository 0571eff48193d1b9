"""Can the state folder be written?"""

from agent.checks.line import CheckLine, Verdict
from agent.identity import Identity
from agent.platform import replace_file
from agent.settings import AgentSettings


def look(settings: AgentSettings, _identity: Identity | None) -> CheckLine:
    """Write a file and remove it."""
    path = settings.state / ".check"
    try:
        replace_file(path, b"tongtang\n")
        path.unlink()
    except OSError as error:
        todo = f"make the folder, and let the account of the service own it: {settings.state}"
        return CheckLine("state", Verdict.BAD, f"{settings.state} cannot be written ({error.strerror})", todo)
    return CheckLine("state", Verdict.OK, f"{settings.state} can be written")
