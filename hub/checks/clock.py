"""The hub's clock: every session hangs on it."""

from hub.checks.line import CheckLine, ok, warn
from hub.platform import clock_synchronised
from hub.settings import HubSettings

NAME = "clock"


def look(_settings: HubSettings) -> CheckLine:
    """Whether a time service keeps the clock."""
    found = clock_synchronised()
    if found:
        return ok(NAME, "kept by a time service")
    if found is None:
        return warn(NAME, "unknown: this system does not tell", "see to it that a time service (NTP) runs")
    return warn(NAME, "no time service has set it", "timedatectl set-ntp true, or point chrony at the school's server")
