"""What this classroom can be told to do, each on the thread of the commands (`agent.commands.Act`)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from agent.commands import Act, ActRefused, Done
from agent.recentlog import RecentLog
from contract.command import CommandName, IdentifyArguments, LogArguments
from contract.settings import Settings

LOG_MAX_BYTES = 12 << 10
"""Of the log that is sent, in bytes: escaped and signed it must still fit into a result."""


@dataclass(frozen=True, slots=True)
class Hands:
    """What the service lets commands do; every call is made on the commands' thread and may take its time."""

    about: Callable[[], dict[str, Any]]
    """Who this is, since when, and the time."""
    health: Callable[[], dict[str, Any]]
    """A sample of health, taken now."""
    why_no_restart: Callable[[], str]
    """Why the service cannot start anew now, in words; empty where it can."""
    restart: Callable[[], None]
    """End the service so that it starts anew."""
    identify: Callable[[float], int]
    """Show for so many seconds which room this is; on how many screens."""
    renew: Callable[[], str] | None
    """Fetch a new certificate: what there is to say of it, or `agent.commands.ActFailed`. None where there is none."""
    recent: RecentLog
    """The last lines of the log."""


class Acts:
    """Everything that can be done with these hands."""

    def __init__(self, hands: Hands) -> None:
        self._hands = hands

    def by_name(self) -> Mapping[CommandName, Act]:
        """What can be done here, by the name of its command."""
        return {
            CommandName.PING: self._ping,
            CommandName.HEALTH: self._health,
            CommandName.RESTART: self._restart,
            CommandName.IDENTIFY: self._identify,
            CommandName.LOG: self._log,
            CommandName.RENEW: self._renew,
        }

    def _ping(self, _nothing: Settings) -> Done:
        return Done("here", self._hands.about())

    def _health(self, _nothing: Settings) -> Done:
        return Done("a sample taken now", self._hands.health())

    def _restart(self, _nothing: Settings) -> None:
        if why := self._hands.why_no_restart():
            raise ActRefused(f"the service does not start anew now: {why}")
        self._hands.restart()

    def _identify(self, arguments: Settings) -> Done:
        seconds = IdentifyArguments.model_validate(arguments, from_attributes=True).seconds
        screens = self._hands.identify(seconds)
        if not screens:
            raise ActRefused("no teacher's screen is connected to this machine, so nobody would see it")
        return Done(f"shown for {seconds:g} s", {"screens": screens})

    def _log(self, arguments: Settings) -> Done:
        wanted = LogArguments.model_validate(arguments, from_attributes=True).lines
        lines = self._hands.recent.last(wanted, LOG_MAX_BYTES)
        return Done(f"the last {len(lines)} lines since the process started", {"lines": lines})

    def _renew(self, _nothing: Settings) -> Done:
        if self._hands.renew is None:
            raise ActRefused("the broker wants no certificate of this machine")
        return Done(self._hands.renew())
