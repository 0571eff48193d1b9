"""Whether the broker is in reach."""

from collections.abc import Callable

from agent.report.health.probe import Probe


def probe(link_up: Callable[[], bool]) -> Probe:
    """`link_up`: whether there was a connection when the sample was made; told after an outage, for the record."""
    return Probe("link", lambda: {"link_up": link_up()})
