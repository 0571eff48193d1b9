"""Does this device's certificate hold, and for how long?"""

import time

from agent.certificate import DAY_S, Certificate, load_certificate
from agent.checks.line import CheckLine, Verdict
from agent.identity import Identity, IdentityDamaged
from agent.settings import AgentSettings

ANEW = "tongtang agent enrol CODE --anew"
LATE_RENEWALS = 180
"""Days after its end for which the hub still renews a certificate."""


def look(settings: AgentSettings, identity: Identity | None) -> CheckLine:
    """Read the certificate with which the broker is met."""
    if identity is None:
        return CheckLine("certificate", Verdict.WARN, "there is none before this machine is enrolled", "enrol it first")
    if not identity.mqtt_tls:
        return CheckLine("certificate", Verdict.OK, "not needed: this hub's broker is met without TLS")
    try:
        held = load_certificate(settings.state)
    except IdentityDamaged as error:
        return CheckLine("certificate", Verdict.BAD, str(error), ANEW)
    if held.device != identity.device:
        words = f"it names {held.device}, but this machine is enrolled as {identity.device}"
        return CheckLine("certificate", Verdict.BAD, words, ANEW)
    return _by_time(held, time.time())


def _by_time(held: Certificate, now: float) -> CheckLine:
    days = held.days_left(now)
    if now < held.begins:
        words = "it is not valid yet by this machine's clock, which must be wrong"
        return CheckLine("certificate", Verdict.WARN, words, "set the clock; the service connects all the same")
    if days < -LATE_RENEWALS:
        return CheckLine("certificate", Verdict.BAD, f"it expired {-days:.0f} days ago, which is too long", ANEW)
    if days < 0:
        words = f"it expired {-days:.0f} days ago; the service renews it when it next reaches the hub"
        return CheckLine("certificate", Verdict.BAD, words, "start the service; look at the line `hub` of this list")
    if now > held.renew_at + DAY_S * 2:
        words = f"holds for {days:.0f} more days, and should have been renewed by now"
        return CheckLine("certificate", Verdict.WARN, words, "look at the line `hub`, and at the service's log")
    return CheckLine("certificate", Verdict.OK, f"{held.device}, holds for {days:.0f} more days")
