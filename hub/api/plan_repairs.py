"""Repairs of plans that count over HTTP: find the ways out of what happened, take one, or none."""

import asyncio

from fastapi import APIRouter, Request
from pydantic import Field

from hub.api.access import caller
from hub.api.plans import published_shown
from hub.api.problems import responses
from hub.api.shapes import Shape
from hub.schedule.desk.views import PublishedView
from hub.schedule.repair.alternative import Alternative
from hub.schedule.repair.disruption import AnyDisruption
from hub.schedule.repair.repairs import NewRepair, Repair, RepairHead, Repairs
from hub.schedule.words import Words


class RepairHeadView(Shape):
    """What happened, and what was decided."""

    id: str
    made: float = Field(description="When it was told, in seconds of hub UTC.")
    operator: str
    plan: str = Field(description="The plan that counted then.")
    term: str
    week: int
    onwards: bool
    happened: AnyDisruption
    words: Words = Field(description="What happened, with names.")
    ways: int = Field(description="Ways out that were found.")
    taken: int | None = Field(description="Which was taken, from 1; null where none was.")
    closed: float | None = Field(description="When that was decided; null while it is not.")
    published: str | None = Field(description="The plan that was made of the way taken; null where there is none yet.")


class RepairView(RepairHeadView):
    """With the ways out, the best first."""

    alternatives: tuple[Alternative, ...]


class Taken(Shape):
    """Which of the ways out is taken."""

    take: int = Field(1, ge=1, le=4, description="From 1.")


def router(repairs: Repairs) -> APIRouter:
    """Routes under `/api/v1/plan/replans`."""
    routes = APIRouter(prefix="/api/v1/plan/replans", tags=["plan"])

    @routes.post("", summary="Find the ways out of what happened", responses=responses(409, 422))
    async def find(request: Request, new: NewRepair) -> RepairView:
        """What changes for whom in each, and the whole plan; nothing is published yet."""
        by = caller(request).name
        return _whole(await asyncio.to_thread(repairs.find, new, by))

    @routes.get("", summary="What happened lately", responses=responses())
    async def newest() -> list[RepairHeadView]:
        """The newest first, decided or not; at most a hundred."""
        found = await asyncio.to_thread(repairs.newest)
        return [RepairHeadView(**_head(one)) for one in found]

    @routes.get("/{repair}", summary="One repair", responses=responses(404))
    async def one(repair: str) -> RepairView:
        """With its ways out as they were found."""
        return _whole(await asyncio.to_thread(repairs.get, repair))

    @routes.post("/{repair}/accept", summary="Take a way out", responses=responses(404, 409))
    async def accept(request: Request, repair: str, which: Taken) -> PublishedView:
        """It is published for its week; calendars, sessions and rooms follow."""
        by = caller(request).name
        return published_shown(await asyncio.to_thread(repairs.accept, repair, which.take, by))

    @routes.post("/{repair}/let-go", summary="Take none", responses=responses(404, 409))
    async def let_go(repair: str) -> RepairHeadView:
        """The plan stays as it is."""

        def none() -> RepairHead:
            repairs.let_go(repair)
            return repairs.get(repair)

        return RepairHeadView(**_head(await asyncio.to_thread(none)))

    return routes


def _head(repair: RepairHead) -> dict[str, object]:
    record, new = repair.record, repair.new
    return {
        "id": record.id,
        "made": record.made,
        "operator": record.operator,
        "plan": record.plan,
        "term": new.term,
        "week": new.week,
        "onwards": new.onwards,
        "happened": new.happened,
        "words": repair.words,
        "ways": len(repair.ways),
        "taken": record.taken,
        "closed": record.closed,
        "published": repair.outcome.plan if repair.outcome is not None else None,
    }


def _whole(repair: Repair) -> RepairView:
    return RepairView(**_head(repair), alternatives=repair.alternatives)
