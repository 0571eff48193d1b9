"""What the hub does with this service from afar: commands, and the twin. Put together here, started by the service."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from agent.acts import Acts, Hands
from agent.commands import Commands
from agent.identity import Identity
from agent.recentlog import RecentLog
from agent.report.health.wanted import Presence
from agent.report.journal import Journal
from agent.report.report import Report
from agent.settings import AgentSettings
from agent.trial import CLEAR_TO_RESTORE_S, Trials
from agent.twin import Standing, Twin
from contract import topics
from contract.envelope import sign
from contract.twin import Reported

T = TypeVar("T")

THERE = frozenset({Presence.PRESENT, Presence.IN_USE})

JOURNAL = "commands.jsonl"
"""In the state folder."""
ASK_WAIT_S = 10.0
"""How long a command waits for the event loop, in seconds."""
TWIN_VALID_S = 10 * 365.25 * 86_400.0
"""What is reported of the twin holds until something else is, in seconds."""


@dataclass(frozen=True, slots=True)
class Host:
    """The service, as far as commands and the twin need it; called on its event loop, but for `renew`."""

    version: str
    lesson_on: Callable[[], bool]
    """Whether a lesson has devices open."""
    identify: Callable[[float], int]
    """Shows for so many seconds which room this is; on how many screens."""
    start_anew: Callable[[], None]
    """Ends the service, so that another one is built at once."""
    renew: Callable[[], str] | None
    """Fetches a new certificate, on the caller's thread: what there is to say of it, or `agent.commands.ActFailed`."""


class Remote:
    """Commands and twin of one service; belongs to its event loop."""

    def __init__(
        self,
        identity: Identity,
        settings: AgentSettings,
        report: Report,
        twin: Twin,
        recent: RecentLog,
        host: Host,
    ) -> None:
        """Take the topics; nothing is done yet.

        Raises:
            agent.report.journal.JournalUnusable: what was begun of commands cannot be read.
        """
        self._identity = identity
        self._report = report
        self._host = host
        self._loop = asyncio.get_running_loop()
        self._since_s = time.monotonic()
        self._commands = self._made_commands(Journal(settings.state / JOURNAL), recent)
        self._trials = self._made_trials(twin)

    def start(self) -> None:
        """Begin to act on commands."""
        self._commands.start()

    async def run(self) -> None:
        """Look after the twin until cancelled, or until the service is to be built anew."""
        await self._trials.run()

    def connected(self) -> None:
        """The hub is in reach: tell it how the twin stands, and what came of the last commands."""
        self._commands.connected()
        self._trials.connected()

    async def stop(self) -> None:
        """Act on nothing more; what is being done may end."""
        await asyncio.to_thread(self._commands.stop)

    def _made_commands(self, journal: Journal, recent: RecentLog) -> Commands:
        identity, report, host = self._identity, self._report, self._host
        result = topics.result(identity.device)
        hands = Hands(
            about=self._about,
            health=report.health_now,
            why_no_restart=lambda: self._ask(lambda: self._why_not(CLEAR_TO_RESTORE_S)),
            restart=lambda: self._ask(host.start_anew),
            identify=lambda seconds: self._ask(lambda: host.identify(seconds)),
            renew=host.renew,
            recent=recent,
        )
        commands = Commands(
            identity.device,
            identity.key,
            identity.hub_key,
            journal,
            report.clock,
            lambda data: report.publish(result, data),
            report.reporter.event,
            Acts(hands).by_name(),
        )
        report.handle(topics.command(identity.device), commands.arrived)
        return commands

    def _made_trials(self, twin: Twin) -> Trials:
        identity, report = self._identity, self._report
        topic = topics.twin_reported(identity.device)

        def publish(reported: Reported) -> bool:
            if not report.connected:
                return False
            envelope = sign(reported, identity.key, report.clock.now(), TWIN_VALID_S)
            return report.publish(topic, envelope.to_json(), retain=True)

        trials = Trials(
            twin,
            identity.device,
            identity.hub_key,
            why_not=self._why_not,
            stand=self._stand,
            publish=publish,
            rebuild=self._host.start_anew,
        )
        report.handle(topics.twin_desired(identity.device), trials.arrived)
        return trials

    def _about(self) -> dict[str, Any]:
        clock = self._report.clock
        return {
            "room": self._identity.room,
            "name": self._identity.name,
            "version": self._host.version,
            "incarnation": self._report.incarnation,
            "boot": self._report.boot,
            "up_s": round(time.monotonic() - self._since_s, 1),
            "hub_time": round(clock.now(), 6),
            "hub_time_error_ms": round(clock.error_ns(time.monotonic_ns()) / 1e6, 3),
        }

    def _stand(self) -> Standing:
        seen = self._report.health_now()
        return Standing(
            hub=self._report.connected,
            camera=seen.get("camera") in THERE,
            microphone=seen.get("microphone") in THERE,
        )

    def _why_not(self, clear_s: float) -> str:
        """Why the service cannot start anew, where no session may be on or nearer than so many seconds."""
        if self._host.lesson_on():
            return "a lesson is on"
        if self._report.orders.lesson_within(clear_s, self._report.clock.now()):
            return f"a session is on or begins within {clear_s / 60:g} minutes"
        return ""

    def _ask(self, function: Callable[[], T]) -> T:
        """What `function` gives on the event loop; called on other threads.

        Raises:
            TimeoutError: the loop is too busy, or has ended.
        """

        async def asked() -> T:
            return function()

        return asyncio.run_coroutine_threadsafe(asked(), self._loop).result(ASK_WAIT_S)
