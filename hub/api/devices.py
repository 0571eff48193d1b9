"""Devices over HTTP: register one, list them all, shut one out."""

import asyncio

from fastapi import APIRouter, Request

from hub.api.access import caller
from hub.api.problems import responses
from hub.api.shapes import DeviceIn, DeviceView, DeviceWelcome, MqttAddress
from hub.door import HERE
from hub.fleet.devices import Devices, NewDevice
from hub.fleet.health import FleetHealth
from hub.fleet.signs import HealthState
from hub.store.devices import DeviceRecord


def shown(device: DeviceRecord, health: FleetHealth | None = None) -> DeviceView:
    """A device as the API shows it, with its health where it may still have one."""
    now = health.of(device.id) if health is not None and device.revoked is None else None
    return DeviceView(
        device=device.id,
        room=device.room,
        name=device.name,
        school=device.school,
        online=device.online,
        last_seen=device.last_seen,
        why=device.why,
        version=device.version,
        health=now.state if now else HealthState.UNKNOWN,
        remarks=now.remarks if now else (),
        revoked=device.revoked,
    )


def router(devices: Devices, hub_public_key: str, mqtt: MqttAddress, health: FleetHealth) -> APIRouter:
    """Routes under `/api/v1/devices`."""
    routes = APIRouter(prefix="/api/v1/devices", tags=["devices"])

    @routes.post("", summary="Register a device", responses=responses(409, 422))
    async def register(request: Request, new: DeviceIn) -> DeviceWelcome:
        """Register a device with its public key. The same key again is harmless and renews the names that are given.

        Where the broker listens on every address, the reply names the host by which this request came. Where it wants
        TLS, the device gets its certificate by renewal, with a token that its key signed.
        """
        asked = NewDevice(new.device, new.room, new.name, new.school, new.public_key)
        await asyncio.to_thread(devices.register, asked)
        host = (request.url.hostname or mqtt.host) if mqtt.host in HERE else mqtt.host
        return DeviceWelcome(hub_public_key=hub_public_key, mqtt=MqttAddress(host=host, port=mqtt.port, tls=mqtt.tls))

    @routes.get("", summary="All devices", responses=responses())
    async def every(*, revoked: bool = False) -> list[DeviceView]:
        """Every registered device with presence and health, by id; with `revoked=true` those that were shut out."""
        return [shown(device, health) for device in (devices.revoked() if revoked else devices.all())]

    @routes.post("/{device}/revoke", summary="Shut a device out for good", responses=responses(404))
    async def revoke(request: Request, device: str) -> DeviceView:
        """Refuse the device from now on, cut its connection, and free its room. Doing so again is harmless."""
        return shown(await asyncio.to_thread(devices.revoke, device, caller(request).name))

    return routes
