"""What is stored of each device's telemetry and events."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from contract.model import DeviceId
from hub.api.problems import responses
from hub.api.shapes import DeviceRows, Figures, Rollup, RollupBucket, StreamSummary
from hub.store.buckets import STEPS_S, Bucket, Step
from hub.store.rollups import RollupTable
from hub.store.rows import RowTable

Moment = Annotated[float, Field(allow_inf_nan=False)]
BUCKETS_MOST = 1500
"""Of one answer: a day by the minute, two months by the hour."""


def router(rows: RowTable, rollups: RollupTable) -> APIRouter:
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

    @routes.get("/rollup", summary="Telemetry of one device by the minute or the hour", responses=responses(422))
    async def rollup(
        device: Annotated[DeviceId, Query(description="Whose rows.")],
        kind: Annotated[str, Query(max_length=64, pattern=r"^[^\x00]+$", description="Kind of the rows, as `health`.")],
        since: Annotated[Moment, Query(alias="from", description="Hub UTC in seconds; the first bucket begins here.")],
        until: Annotated[Moment, Query(alias="to", description="Hub UTC in seconds; later buckets are left out.")],
        step: Annotated[Step, Query(description="Length of a bucket.")] = "minute",
    ) -> Rollup:
        """Smallest, largest and mean of each number, oldest first; minutes and hours without rows are left out."""
        found = await asyncio.to_thread(rollups.read, step, device, kind, since, until, BUCKETS_MOST + 1)
        buckets = tuple(_bucket(start, bucket) for start, bucket in found[:BUCKETS_MOST])
        more = found[BUCKETS_MOST][0] if len(found) > BUCKETS_MOST else None
        return Rollup(device=device, kind=kind, step=step, seconds=STEPS_S[step], buckets=buckets, more=more)

    return routes


def _bucket(start: int, bucket: Bucket) -> RollupBucket:
    numbers = {
        name: Figures(min=low, max=high, mean=total / count, count=round(count))
        for name, (low, high, total, count) in bucket.numbers.items()
    }
    return RollupBucket(start=start, rows=bucket.rows, numbers=numbers)


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
