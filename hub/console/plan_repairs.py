"""The console's pages of repairs: what happened to a plan that counts, the ways out, and one taken by a click."""

import asyncio
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from starlette.datastructures import FormData
from starlette.responses import HTMLResponse, RedirectResponse, Response

from hub.api.access import caller
from hub.console.pages import Pages
from hub.console.plan_repair_offer import FIELDS, Offer, offer_of, weeks_to_come
from hub.console.plan_repair_said import FormWrong, Said, happened
from hub.console.plan_repair_told import Line, standing, told
from hub.console.plan_repair_ways import ways_shown
from hub.console.texts import Texts
from hub.schedule.desk.desk import Desk
from hub.schedule.errors import ScheduleRefused
from hub.schedule.repair.errors import RepairRefused, RepairUnknown
from hub.schedule.repair.repairs import NewRepair, Repair, Repairs
from hub.store.occurrences import OccurrenceRecord
from hub.store.plans import PlanHead

LONGEST = 64
"""Characters of a field that are read."""


def repair_routes(
    pages: Pages, desk: Desk, repairs: Repairs, occurrence: Callable[[str], OccurrenceRecord | None]
) -> APIRouter:
    """`/plan/{plan}/repairs` and what is below it; `occurrence` looks up a lesson on a date, and may block."""
    routes = APIRouter(tags=["console"], default_response_class=HTMLResponse)
    _telling(routes, pages, desk, repairs)
    _deciding(routes, pages, desk, repairs, occurrence)
    return routes


def _telling(routes: APIRouter, pages: Pages, desk: Desk, repairs: Repairs) -> None:
    async def offered(request: Request, plan: str, query: dict[str, str]) -> dict[str, Any] | Response:
        """What the form shows; a page that says why where there is none."""
        t = pages.texts(request)
        try:
            return await asyncio.to_thread(_form, desk, repairs, plan, query, t)
        except ScheduleRefused as error:
            return pages.page(request, "problem.html", 404, words=t.said(str(error)))

    @routes.get("/plan/{plan}/repairs", summary="The form that says what happened to a plan", responses={404: {}})
    async def form(request: Request, plan: str) -> Response:
        """With the names of one school in one week; a week for which another plan counts leads to that plan's form."""
        query = {name: value[:LONGEST] for name, value in request.query_params.items() if name != "lang"}
        values = await offered(request, plan, query)
        if isinstance(values, Response):
            return values
        if values["counting"] not in {"", plan}:
            return RedirectResponse(f"/plan/{values['counting']}/repairs?{urlencode(query)}", 303)
        return pages.page(request, "plan_repair_new.html", here="plan", **values)

    @routes.post("/plan/{plan}/repairs", summary="Find ways out by that form", responses={404: {}, 409: {}, 422: {}})
    async def find(request: Request, plan: str) -> Response:
        """Go on to the ways out; what is wrong, or that nobody is touched, is told beside the form."""
        t, sent = pages.texts(request), await request.form()
        query = {name: _field(sent, name) for name in ("kind", "school", "week")}
        values = await offered(request, plan, query)
        if isinstance(values, Response):
            return values
        values["said"] = _said(sent)
        status, there = await asyncio.to_thread(_sought, repairs, values, query, caller(request).name, t)
        if there:
            return RedirectResponse(there, 303)
        return pages.page(request, "plan_repair_new.html", status, here="plan", **values)


def _deciding(
    routes: APIRouter,
    pages: Pages,
    desk: Desk,
    repairs: Repairs,
    occurrence: Callable[[str], OccurrenceRecord | None],
) -> None:
    async def shown(request: Request, plan: str, repair: str, status: int = 200, refused: str = "") -> Response:
        t, query = pages.texts(request), {name: value for name, value in request.query_params.items() if name != "lang"}
        try:
            found = await asyncio.to_thread(_of_plan, repairs, plan, repair)
            values = await asyncio.to_thread(ways_shown, found, desk, repairs, occurrence, query, t)
        except ScheduleRefused as error:
            return pages.page(request, "problem.html", 404, words=t.said(str(error)))
        there = {"plan_id": plan, "path": f"/plan/{plan}/repairs/{repair}", "query": urlencode(query)}
        return pages.page(request, "plan_repair.html", status, here="plan", refused=refused, **there, **values)

    async def decided(request: Request, plan: str, repair: str, decide: Callable[[], object]) -> Response:
        """Come back once it is done; what cannot be is told above the ways."""
        try:
            await asyncio.to_thread(_of_plan, repairs, plan, repair)
            await asyncio.to_thread(decide)
        except ScheduleRefused as error:
            return await shown(request, plan, repair, 409, pages.texts(request).said(str(error)))
        return RedirectResponse(f"/plan/{plan}/repairs/{repair}", 303)

    @routes.get("/plan/{plan}/repairs/{repair}", summary="The ways out of what happened", responses={404: {}})
    async def one(request: Request, plan: str, repair: str) -> Response:
        """Side by side, with what changes for whom; once one is taken, what follows from it."""
        return await shown(request, plan, repair)

    @routes.post("/plan/{plan}/repairs/{repair}/accept", summary="Take one of them", responses={404: {}, 409: {}})
    async def accept(request: Request, plan: str, repair: str) -> Response:
        """It is published for its week; calendars, sessions and rooms follow."""
        take, by = _field(await request.form(), "take"), caller(request).name
        number = int(take) if take.isdecimal() and len(take) == 1 else 0
        return await decided(request, plan, repair, lambda: _accept(repairs, repair, number, by))

    @routes.post("/plan/{plan}/repairs/{repair}/let-go", summary="Take none of them", responses={404: {}, 409: {}})
    async def let_go(request: Request, plan: str, repair: str) -> Response:
        """The plan stays as it is."""
        return await decided(request, plan, repair, lambda: _let_go(repairs, repair))


def repairs_shown(repairs: Repairs, head: PlanHead, t: Texts) -> list[Line]:
    """The repairs of a plan, and the one that it was made by; the newest first. Blocks on the database."""
    found = repairs.of(head.id, *([head.based_on] if head.based_on else []))
    own = [one for one in found if head.id in {one.record.plan, one.outcome.plan if one.outcome is not None else ""}]
    return [Line(one, told(one, t), standing(one, takeable=repairs.takeable(one))) for one in own]


def _form(desk: Desk, repairs: Repairs, plan: str, query: dict[str, str], t: Texts) -> dict[str, Any]:
    opened = desk.open(plan)
    term, today = desk.term(opened.head.term), repairs.here().date()
    weeks = weeks_to_come(desk.counting(term.id), term, today)
    asked = query.get("week", "")
    own = [week for week, counting in weeks.items() if counting == plan]
    week = int(asked) if asked in {str(one) for one in weeks} else next(iter([*own, *weeks]), 0)
    kind, school = query.get("kind", ""), query.get("school", "")
    offer: Offer | None = None
    if week and weeks[week] == plan:
        offer = offer_of(opened.book, term, kind, school, week, today, t)
    return {
        "plan_id": plan,
        "path": f"/plan/{plan}/repairs",
        "query": urlencode(query),
        "head": opened.head,
        "term": term,
        "weeks": weeks,
        "week": week,
        "counting": weeks.get(week, ""),
        "kinds": list(FIELDS),
        "kind": offer.kind if offer is not None else kind,
        "offer": offer,
        "schools": [(one.id, one.name or one.id) for one in opened.book.district.schools],
        "said": Said(),
        "wrong": ("", ""),
        "nobody": False,
        "lines": repairs_shown(repairs, opened.head, t),
    }


def _sought(
    repairs: Repairs, values: dict[str, Any], query: dict[str, str], operator: str, t: Texts
) -> tuple[int, str]:
    """Find the ways out: the page's status, and where they stand; else `values` say what is told beside the form."""
    try:
        found = _found(repairs, values, query, operator)
    except FormWrong as error:
        values["wrong"] = (error.field, t(error.key, **error.values))
        return 422, ""
    except ScheduleRefused as error:
        values["wrong"] = ("", t.said(str(error)))
        return 409, ""
    values |= {"nobody": found.nobody_hit, "lines": repairs_shown(repairs, values["head"], t)}
    return 200, "" if found.nobody_hit else f"/plan/{found.record.plan}/repairs/{found.record.id}"


def _found(repairs: Repairs, values: dict[str, Any], query: dict[str, str], operator: str) -> Repair:
    """What the form asks for; where nobody is touched, there is nothing left to decide.

    Raises:
        FormWrong: the form does not say what happened, or when.
        ScheduleRefused: it cannot be repaired; the words say why.
    """
    offer: Offer | None = values["offer"]
    said: Said = values["said"]
    if query["week"] != str(values["week"]):
        raise FormWrong("week", "plan.repair.wrong.week")
    if offer is None:
        raise FormWrong("week", "plan.repair.wrong.other_plan", week=values["week"])
    if (query["kind"], query["school"]) != (offer.kind, offer.school):
        raise FormWrong("", "plan.repair.wrong.scope")
    what = happened(said, offer, repairs.here().date())
    new = NewRepair(term=values["term"].id, week=offer.week, onwards=said.onwards, happened=what)
    found = repairs.find(new, operator)
    if found.nobody_hit and found.record.closed is None:
        repairs.let_go(found.record.id)
    return found


def _of_plan(repairs: Repairs, plan: str, repair: str) -> Repair:
    found = repairs.get(repair)
    if found.record.plan != plan:
        raise RepairUnknown(f"there is no repair {repair[:80]}")
    return found


def _accept(repairs: Repairs, repair: str, take: int, operator: str) -> None:
    """Take a way out; whoever clicks twice has taken it once."""
    try:
        repairs.accept(repair, take, operator)
    except RepairRefused:
        if repairs.get(repair).record.taken != take:
            raise


def _let_go(repairs: Repairs, repair: str) -> None:
    try:
        repairs.let_go(repair)
    except RepairRefused:
        record = repairs.get(repair).record
        if record.closed is None or record.taken is not None:
            raise


def _field(sent: FormData, name: str) -> str:
    value = sent.get(name, "")
    return value.strip()[:LONGEST] if isinstance(value, str) else ""


def _said(sent: FormData) -> Said:
    return Said(
        who=_field(sent, "who"),
        what=_field(sent, "what"),
        days=tuple(dict.fromkeys(day[:LONGEST] for day in sent.getlist("day") if isinstance(day, str))),
        first=_field(sent, "first"),
        last=_field(sent, "last"),
        slot=(_field(sent, "slot_day"), _field(sent, "slot_period")),
        other=(_field(sent, "other_day"), _field(sent, "other_period")),
        minutes=_field(sent, "minutes"),
        onwards=_field(sent, "onwards") == "yes",
    )
