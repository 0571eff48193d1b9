"""One place in the simulated fleet: a device's name, where it calls, and what it shows there."""

import ssl
from dataclasses import dataclass, replace
from pathlib import Path

from swarm.wire import Address


@dataclass(frozen=True, slots=True)
class Seat:
    """One device of the fleet, before there is a client in it."""

    device: str
    address: Address
    certificate: Path | None = None
    """PEM file of its key and certificate; None for plain MQTT."""
    authority: Path | None = None
    """PEM file of the authority that it trusts; None for plain MQTT."""
    skew_s: float = 0.0
    """How far its wall clock is off, in seconds."""
    cut: bool = False
    """Whether it sits behind the relay that outages cut."""

    def behind(self, host: str, port: int) -> "Seat":
        """The same device, calling through a relay that stands there."""
        through = replace(self.address, host=host, port=port, name=self.address.name or self.address.host)
        return replace(self, address=through, cut=True)


def client_context(authority: Path) -> ssl.SSLContext:
    """What devices trust; one for a whole fleet, because certificates are loaded for each connection."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_verify_locations(authority)
    return context
