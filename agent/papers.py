"""The certificate of a device while its service runs: renewed by itself, by command, and when the broker wants it."""

import logging
import time

from agent.certificate import Certificate
from agent.commands import ActFailed
from agent.identity import Identity, IdentityRefused
from agent.renewal import Renewal
from agent.report.report import Report
from agent.settings import AgentSettings
from agent.trust import hub_trust

log = logging.getLogger(__name__)


class Papers:
    """Made where the broker wants a certificate; belongs to the event loop of the service."""

    def __init__(self, identity: Identity, settings: AgentSettings, report: Report) -> None:
        """Prepare; nothing is asked yet.

        Args:
            identity: this device.
            settings: the agent's settings.
            report: hears of the certificate, and connects with a new one.

        Raises:
            agent.identity.HubUntrusted: the file of the hub's authority cannot be used.
        """
        self._report = report
        clock = report.clock
        self._renewal = Renewal(
            identity,
            settings.state,
            clock,
            hub_trust(settings.hub.ca, clock.heard_now),
            busy=report.lesson_begins,
            on_renewed=self._renewed,
            on_trouble=self._trouble,
        )
        report.on_refused = self._renewal.refused

    async def run(self) -> None:
        """Look after the certificate until cancelled."""
        await self._renewal.run()

    def renew(self) -> str:
        """Get a new certificate now, on the thread of the commands; what there is to say of it.

        Raises:
            ActFailed: there is none; the old one stays.
        """
        try:
            made = self._renewal.at_once()
        except IdentityRefused as error:
            raise ActFailed(str(error)) from error
        return f"the new certificate holds until {time.strftime('%F', time.gmtime(made.ends))}"

    def _renewed(self, made: Certificate, late: bool) -> None:  # noqa: FBT001 - a callback
        self._report.reporter.event("certificate.renewed", {"serial": made.serial, "ends": made.ends})
        self._report.renewed(at_once=late)

    def _trouble(self, words: str) -> None:
        self._report.reporter.event("certificate.trouble", {"words": words})
        log.warning(words)
