"""What is stored of each device's telemetry and events."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query

from contract.model import DeviceId
from hub.api.problems import responses
from hub.api.shapes import DeviceRows, StreamSummary
from hub.store.rows import RowTable


def router(rows: RowTable) -> APIRouter:
    """Routes under `/api/v1/telemetry`."""
    routes = APIRouter(prefix="/api/v1/telemetry", tags=["telemetry"])

    @routes.get("/summary", summary="Rows stored, by device", responses=responses())
    async def summary() -> dict[str, DeviceRows]:
        """Rows, watermarks, declared losses and different ids of every device."""
        return await asyncio.to_thread(_summary, rows)

    @routes.get("/ids", summary="Producers' ids of one device", responses=responses(422))
    async def ids(device: Annotated[DeviceId, Query(description="Whose rows.")]) -> list[str]:
        """The id that the producer gave to each stored row; a row stored twice stands twice."""
        return await asyncio.to_thread(rows.ids, device)

    return routes


def _summary(rows: RowTable) -> dict[str, DeviceRows]:
    found = {}
    for device, told in rows.summary().items():
        streams = {name: StreamSummary(**stream) for name, stream in told["streams"].items()}
        found[device] = DeviceRows(
            stored=told["stored"],
            quarantined=told["quarantined"],
            gaps=told["gaps"],
            ids=told["ids"],
            streams=streams,
        )
    return found
