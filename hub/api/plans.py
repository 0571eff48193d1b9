"""Plans of a week over HTTP: make a draft, change it, solve it, note what schools say, publish it, look at it."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import Field

from hub.api.access import caller
from hub.api.problems import missing, responses
from hub.api.shapes import Shape
from hub.schedule.desk.desk import Desk
from hub.schedule.desk.drafts import Opened
from hub.schedule.desk.edits import Edit
from hub.schedule.desk.listing import RequestLine, requests_of
from hub.schedule.desk.states import PlanState
from hub.schedule.desk.views import (
    NewApproval,
    NewDraft,
    NewPublication,
    NewSolve,
    PlanHeadView,
    PlanView,
    PublishedView,
    SchoolSaid,
    SolvingView,
)
from hub.schedule.desk.week import Of, WeekEntry, week_of
from hub.schedule.district import District
from hub.schedule.explain.explaining import Explanation
from hub.schedule.plan import Plan
from hub.store.occurrences import Published
from hub.store.plans import DISTRICT

LARGEST_DISTRICT_BYTES = 64 << 20
"""What a district sent as a file may have: one of ten districts has about five million bytes."""


class Edits(Shape):
    """Changes of a draft; all of them are made, or none."""

    edits: tuple[Edit, ...] = Field(min_length=1, max_length=1000)


class RequestPage(Shape):
    """Some of a plan's requests."""

    total: int = Field(description="How many fit the question.")
    requests: tuple[RequestLine, ...]


def heads_shown(desk: Desk, term: str | None) -> list[PlanHeadView]:
    """Plans as they are listed, the newest first; blocks on the database."""
    heads = desk.heads(term)
    published: dict[str, list[int]] = {}
    for name in {head.term for head in heads if head.state is PlanState.PUBLISHED}:
        published |= desk.counting(name)
    return [PlanHeadView.of(head, tuple(published.get(head.id, ())), desk.solving(head.id)) for head in heads]


def shown(desk: Desk, opened: Opened) -> PlanView:
    """A plan as it is shown; blocks on the database."""
    head, book = opened.head, opened.book
    plan = book.plan
    counts = desk.counting(head.term).get(head.id, []) if head.state is PlanState.PUBLISHED else []
    said = desk.approvals(head.id)
    return PlanView(
        **PlanHeadView.of(head, tuple(counts), desk.solving(head.id)).model_dump(),
        mark=book.mark,
        requests=len(book.requests),
        served=len(book.served),
        score=plan.score if plan is not None else None,
        total=plan.score.total if plan is not None else None,
        bound=plan.bound if plan is not None else None,
        gap=plan.gap if plan is not None else None,
        proof=plan.proof if plan is not None else "",
        fits=book.fits,
        violations=tuple(book.violations),
        unserved=tuple(one.id for one in book.unserved) if plan is not None else (),
        goals=book.district.goals,
        schools=tuple(SchoolSaid.of(one, book.school_name(one), said.get(one)) for one in book.taking_part),
        district_said=SchoolSaid.of(DISTRICT, "", said.get(DISTRICT)),
        misfits=opened.misfits,
    )


def published_shown(published: Published) -> PublishedView:
    """What publishing changed, in numbers."""
    return PublishedView(
        added=len(published.added),
        changed=len(published.changed),
        cancelled=len(published.cancelled),
        kept=len(published.kept),
        past=len(published.past),
    )


def router(desk: Desk) -> APIRouter:
    """Routes under `/api/v1/plan/plans`."""
    routes = APIRouter(prefix="/api/v1/plan/plans", tags=["plan"])
    _looking(routes, desk)
    _searching(routes, desk)
    _making(routes, desk)
    _agreeing(routes, desk)
    return routes


def _looking(routes: APIRouter, desk: Desk) -> None:
    @routes.get("", summary="Every plan", responses=responses())
    async def every(
        term: Annotated[str | None, Query(max_length=64, description="Of this term alone.")] = None,
    ) -> list[PlanHeadView]:
        """Drafts and published plans, the newest first, without their contents."""
        return await asyncio.to_thread(heads_shown, desk, term)

    @routes.get("/{plan}", summary="One plan", responses=responses(404))
    async def one(plan: str) -> PlanView:
        """Its score by goal, bound and gap, what it does not serve, what the schools said, how solving goes."""
        return await asyncio.to_thread(lambda: shown(desk, desk.open(plan)))

    @routes.get("/{plan}/district", summary="The district as it was planned", responses=responses(404))
    async def district(plan: str) -> District:
        """As a file for `tongtang plan solve` and `plan check` (docs/planning.md)."""
        return (await asyncio.to_thread(desk.open, plan)).book.district

    @routes.get("/{plan}/file", summary="The plan as a file", responses=responses(404))
    async def file(plan: str) -> Plan:
        """As a file for `tongtang plan check` (docs/planning.md)."""
        found = (await asyncio.to_thread(desk.open, plan)).book.plan
        if found is None:
            raise missing(f"{plan} has no plan yet", "solve it first: POST /api/v1/plan/plans/{plan}/solve")
        return found


def _searching(routes: APIRouter, desk: Desk) -> None:
    @routes.get("/{plan}/requests", summary="What was asked for, and what is served", responses=responses(404, 422))
    async def asked(
        plan: str,
        served: Annotated[bool | None, Query(description="Those that are served, or those that are not.")] = None,
        school: Annotated[str, Query(max_length=64, description="Of this school alone.")] = "",
        subject: Annotated[str, Query(max_length=64, description="In this subject alone.")] = "",
        q: Annotated[str, Query(max_length=200, description="Words that id, class, teacher or school hold.")] = "",
        offset: Annotated[int, Query(ge=0)] = 0,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> RequestPage:
        """Requests in the district's order, each with when, where and by whom it is served."""

        def found() -> list[RequestLine]:
            return requests_of(desk.open(plan).book, served=served, school=school, subject=subject, words=q)

        lines = await asyncio.to_thread(found)
        return RequestPage(total=len(lines), requests=tuple(lines[offset : offset + limit]))

    @routes.get("/{plan}/explanations", summary="Why requests are not served", responses=responses(404, 422))
    async def explanations(
        plan: str,
        request: Annotated[str, Query(max_length=64, description="This one alone.")] = "",
        offset: Annotated[int, Query(ge=0)] = 0,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> list[Explanation]:
        """Which facts are in the way, in words with names, and the smallest change that would serve each, as tried."""

        def explained() -> list[Explanation]:
            book = desk.open(plan).book
            every = [one.id for one in book.unserved if request in {"", one.id}]
            found = book.explained(every[offset : offset + limit])
            return [found[one] for one in every if one in found]

        return await asyncio.to_thread(explained)

    @routes.get("/{plan}/week", summary="The week of a school, a room, a teacher or a class", responses=responses(404))
    async def week(
        plan: str,
        of: Annotated[Of, Query(description="What `who` is.")],
        who: Annotated[str, Query(max_length=64, description="Its id.")],
    ) -> list[WeekEntry]:
        """What they have in a week of this plan, in the order of days and periods."""
        return await asyncio.to_thread(lambda: week_of(desk.open(plan).book, of, who))


def _making(routes: APIRouter, desk: Desk) -> None:
    @routes.post("", summary="Make a draft", status_code=201, responses=responses(404, 409, 422))
    async def make(request: Request, new: NewDraft) -> PlanView:
        """Make a draft of the facts as they are, or of a district sent as a file."""
        by = caller(request).name
        return await asyncio.to_thread(lambda: shown(desk, desk.make(new, by)))

    @routes.post("/{plan}/edits", summary="Change a draft by hand", responses=responses(404, 409, 422))
    async def edit(request: Request, plan: str, new: Edits) -> PlanView:
        """Pin, ban, take out, weigh; where the plan does not hold any more, solve the draft again."""
        by = caller(request).name
        return await asyncio.to_thread(lambda: shown(desk, desk.edit(plan, new.edits, by)))

    @routes.put("/{plan}/file", summary="Begin with a plan that was made elsewhere", responses=responses(404, 409, 422))
    async def begin(request: Request, plan: str, answer: Plan) -> PlanView:
        """Put a plan file in place of the draft's plan; one that breaks a rule is refused."""
        by = caller(request).name
        return await asyncio.to_thread(lambda: shown(desk, desk.begin_with(plan, answer, by)))

    @routes.post("/{plan}/solve", summary="Solve a draft", status_code=202, responses=responses(404, 409, 422))
    async def solve(request: Request, plan: str, new: NewSolve) -> SolvingView:
        """Begin to search in a process of its own, from the plan that there is; `GET .../solve` tells how it goes."""
        by = caller(request).name
        return SolvingView.of(await asyncio.to_thread(desk.solve, plan, new, by))

    @routes.get("/{plan}/solve", summary="How solving goes", responses=responses(404))
    async def solving(plan: str) -> SolvingView:
        """How far it has come, or how it ended; 404 where nobody has begun since the hub was started."""
        await asyncio.to_thread(desk.head, plan)
        found = desk.solving(plan)
        if found is None:
            raise missing(f"{plan} is not being solved", "begin with POST /api/v1/plan/plans/{plan}/solve")
        return SolvingView.of(found)

    @routes.post("/{plan}/stop", summary="Stop solving", responses=responses(404, 409))
    async def stop(plan: str) -> SolvingView:
        """Have it end with the best plan so far."""
        return SolvingView.of(await asyncio.to_thread(desk.stop, plan))


def _agreeing(routes: APIRouter, desk: Desk) -> None:
    @routes.post("/{plan}/propose", summary="Put a draft to the schools", responses=responses(404, 409, 422))
    async def propose(request: Request, plan: str) -> PlanView:
        """From now on it stays as it is, while the schools that have a part say yes or no."""
        by = caller(request).name
        return await asyncio.to_thread(lambda: shown(desk, desk.propose(plan, by)))

    @routes.post("/{plan}/reopen", summary="Take a plan back to work on it", responses=responses(404, 409))
    async def reopen(request: Request, plan: str) -> PlanView:
        """It is a draft again; what the schools said stays to be read until it is put to them anew."""
        by = caller(request).name
        return await asyncio.to_thread(lambda: shown(desk, desk.reopen(plan, by)))

    @routes.post("/{plan}/approvals", summary="Note what a school says", responses=responses(404, 409, 422))
    async def note(request: Request, plan: str, said: NewApproval) -> PlanView:
        """Schools have no accounts here: an operator notes who said what. The district (no school) approves last."""
        by = caller(request).name
        return await asyncio.to_thread(lambda: shown(desk, desk.note(plan, said, by)))

    @routes.post("/{plan}/publish", summary="Let a plan count", responses=responses(404, 409, 422))
    async def publish(request: Request, plan: str, new: NewPublication) -> PublishedView:
        """Its lessons come into the calendars, and become sessions as they come near."""
        by = caller(request).name
        return published_shown(await asyncio.to_thread(desk.publish, plan, new, by))

    @routes.post("/{plan}/withdraw", summary="Give a plan up", responses=responses(404, 409, 422))
    async def withdraw(request: Request, plan: str) -> PlanView:
        """Its lessons to come are called off; where a plan published before it counts again, that one's are held."""
        by = caller(request).name

        def given_up() -> PlanView:
            desk.withdraw(plan, by)
            return shown(desk, desk.open(plan))

        return await asyncio.to_thread(given_up)
