"""How devices are, over HTTP."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field

from contract.model import DeviceId, RoomId
from hub.api.problems import missing, responses
from hub.api.shapes import Shape
from hub.fleet.devices import Devices
from hub.fleet.health import FleetHealth
from hub.fleet.signs import HealthRemark, HealthState
from hub.store.devices import DeviceRecord


class DeviceHealthView(Shape):
    """How one device is."""

    device: DeviceId
    room: RoomId
    school: str
    state: HealthState
    words: str = Field(description="What there is to know, in English; empty where all is well.")
    remarks: tuple[HealthRemark, ...] = Field(description="The same, to be told in any language.")
    at: float | None = Field(
        description="When the newest sample was made, in seconds of hub UTC; null where none came."
    )
    fields: dict[str, Any] = Field(description="What the device told, by field; units stand in the names.")
    versions: dict[str, str] = Field(description="What runs there, where it was told since this hub started.")


def router(devices: Devices, health: FleetHealth) -> APIRouter:
    """`/api/v1/health` and `/api/v1/devices/{device}/health`."""
    routes = APIRouter(prefix="/api/v1", tags=["health"])

    @routes.get("/health", summary="How every device is", responses=responses(422))
    async def every(
        state: Annotated[HealthState | None, Query(description="Only devices in this state.")] = None,
    ) -> list[DeviceHealthView]:
        """Every device with its state, remarks and latest figures, by id."""
        views = await asyncio.to_thread(lambda: [_shown(one, health) for one in devices.all()])
        return [one for one in views if state is None or one.state is state]

    @routes.get("/devices/{device}/health", summary="How one device is", responses=responses(404))
    async def one(device: str) -> DeviceHealthView:
        """A device's state, remarks and latest figures."""
        record = devices.get(device)
        if record is None:
            raise missing(f"there is no device {device[:80]}", "list the devices with GET /api/v1/devices")
        return _shown(record, health)

    return routes


def _shown(record: DeviceRecord, health: FleetHealth) -> DeviceHealthView:
    now = health.of(record.id)
    return DeviceHealthView(
        device=record.id,
        room=record.room,
        school=record.school,
        state=now.state,
        words="; ".join(str(one) for one in now.remarks),
        remarks=now.remarks,
        at=now.at,
        fields=dict(now.fields),
        versions=dict(now.versions),
    )
