"""Alerts over HTTP: what somebody should look at, until somebody has."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Path, Request

from hub.api.access import caller
from hub.api.problems import missing, responses
from hub.api.shapes import AlertView
from hub.fleet.alerts import AlertRecord, Alerts

MOST = 2**53
"""Numbers beyond are not exact in JSON; no hub comes that far."""


def shown(alert: AlertRecord) -> AlertView:
    """An alert as the API shows it."""
    return AlertView(
        alert=alert.id,
        device=alert.device,
        kind=alert.kind,
        words=alert.words,
        raised=alert.raised,
        last=alert.last,
        times=alert.times,
    )


def router(alerts: Alerts) -> APIRouter:
    """Routes under `/api/v1/alerts`."""
    routes = APIRouter(prefix="/api/v1/alerts", tags=["alerts"])

    @routes.get("", summary="Open alerts", responses=responses())
    async def every() -> list[AlertView]:
        """Alerts that nobody has cleared, oldest first."""
        return [shown(one) for one in await asyncio.to_thread(alerts.open)]

    @routes.post("/{alert}/clear", summary="Clear an alert", responses=responses(404, 422))
    async def clear(request: Request, alert: Annotated[int, Path(ge=1, le=MOST)]) -> AlertView:
        """Somebody has seen to it. Clearing again is harmless; what still holds will be raised again."""
        record = await asyncio.to_thread(alerts.dismiss, alert, caller(request).name)
        if record is None:
            raise missing(f"there is no alert {alert}", "list them with GET /api/v1/alerts")
        return shown(record)

    return routes
