"""What a broker must know to let the right clients in, and nobody else."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from hub.broker.certificate import HubCertificate, names_here
from hub.fleet.authority import Authority
from hub.settings import HubSettings
from hub.store.devices import DeviceTable


@dataclass(frozen=True, slots=True)
class Gate:
    """Handed to a broker that speaks TLS. Both questions are answered from the database, from any thread."""

    certificate: HubCertificate
    devices: Callable[[], Collection[str]]
    """Every device that was not revoked."""
    crl: Callable[[], bytes]
    """The newest list of revoked certificates, PEM."""


def open_gate(
    settings: HubSettings, authority: Authority, devices: DeviceTable, now: Callable[[], float]
) -> Gate | None:
    """The gate of this hub; None where the settings say that MQTT is plain.

    Args:
        settings: where the broker listens, and by which names it is reached.
        authority: signs the hub's certificate and the list of revoked ones.
        devices: who may come in, and who no longer.
        now: hub UTC in seconds.
    """
    if not settings.mqtt_tls:
        return None
    mqtt = settings.mqtt
    certificate = HubCertificate(authority, settings.data / "broker", lambda: names_here(mqtt.host, mqtt.names), now)
    return Gate(
        certificate,
        lambda: [one.id for one in devices.all() if one.revoked is None],
        lambda: authority.crl(devices.revoked_serials(), now()),
    )
