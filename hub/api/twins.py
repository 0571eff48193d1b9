"""Twins over HTTP: what is wanted of each device, and how it stands to that."""

import asyncio
import json
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field

from contract.model import DeviceId
from hub.api.problems import responses
from hub.api.shapes import Shape
from hub.fleet.twin import Twins, TwinStanding


class TwinIn(Shape):
    """What is wanted of a device: all of it, in place of what was wanted before."""

    config: dict[str, Any] = Field(
        description="Keys by table, as in agent.toml; what is left out stays as the device's own settings have it."
    )
    rev: int | None = Field(None, ge=0, description="The revision that was looked at; refused where it is another now.")


class TwinView(Shape):
    """What is wanted of a device, and how it stands to that."""

    device: DeviceId
    rev: int = Field(description="Revision that is wanted; 0 where nothing was ever wanted.")
    config: dict[str, Any] = Field(description="What is wanted, keys by table.")
    changed: float = Field(description="When it was wanted, in seconds of hub UTC.")
    reported_rev: int = Field(description="Revision of which the device spoke last.")
    status: str = Field(description="`waiting`, `applied`, `refused` or `restored`; empty where it never spoke.")
    words: str = Field(description="What the device says about it.")
    reported: dict[str, Any] = Field(description="What is in force there.")
    reported_at: float | None
    lags: bool = Field(description="Whether what is wanted is not in force there.")
    says: str = Field(description="How it stands, in words.")


def shown(standing: TwinStanding) -> TwinView:
    """A twin as the API shows it."""
    twin = standing.twin
    return TwinView(
        device=twin.device,
        rev=twin.rev,
        config=json.loads(twin.desired),
        changed=twin.changed,
        reported_rev=twin.reported_rev,
        status=twin.status,
        words=twin.words,
        reported=json.loads(twin.reported) if twin.reported else {},
        reported_at=twin.reported_at,
        lags=standing.lags,
        says=standing.says,
    )


def router(twins: Twins) -> APIRouter:
    """Routes under `/api/v1/twins`."""
    routes = APIRouter(prefix="/api/v1/twins", tags=["twins"])

    @routes.get("", summary="Twins", responses=responses(422))
    async def listed(
        *, lagging: Annotated[bool, Query(description="Only those that are not in force.")] = False
    ) -> list[TwinView]:
        """Every device of which something is wanted or that spoke of its twin, by id."""
        return await asyncio.to_thread(lambda: [shown(one) for one in twins.standings(lagging=lagging)])

    @routes.get("/{device}", summary="The twin of a device", responses=responses(404))
    async def one(device: str) -> TwinView:
        """What is wanted of a device, and how it stands to that."""
        return shown(await asyncio.to_thread(twins.get, device))

    @routes.put("/{device}", summary="Want a configuration of a device", responses=responses(404, 409, 422))
    async def want(device: str, new: TwinIn) -> TwinView:
        """Keep what is wanted and tell the device; it applies it when no lesson is on or near.

        A key that cannot be set from afar, or a value out of bounds, is refused here already.
        """
        return shown(await asyncio.to_thread(twins.want, device, new.config, new.rev))

    return routes
