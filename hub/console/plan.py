"""The console's pages of the week's plan: every plan, one plan, and what operators do with it by forms."""

import asyncio
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, File, Form, Request, UploadFile
from starlette.responses import HTMLResponse, RedirectResponse, Response

from hub.api.access import caller
from hub.api.plans import heads_shown, shown
from hub.console.pages import Pages, local_path
from hub.console.plan_acts import Asked, act, made
from hub.console.plan_grid import SIDES, chosen, grid_of, options
from hub.console.plan_repair_offer import FIELDS
from hub.console.plan_repairs import repairs_shown
from hub.console.texts import Texts
from hub.schedule.desk.desk import Desk
from hub.schedule.desk.drafts import Opened
from hub.schedule.desk.errors import PlanUnknown, TermUnknown
from hub.schedule.desk.listing import RequestLine, requests_of
from hub.schedule.desk.solving import OVER
from hub.schedule.desk.states import PlanState
from hub.schedule.desk.views import SolvingView
from hub.schedule.errors import ScheduleRefused
from hub.schedule.plan import Score
from hub.schedule.repair.repairs import Repairs
from hub.schedule.terms import Term

KINDS = {
    PlanState.DRAFT: "off",
    PlanState.PROPOSED: "info",
    PlanState.APPROVED: "info",
    PlanState.PUBLISHED: "ok",
    PlanState.SUPERSEDED: "off",
    PlanState.WITHDRAWN: "bad",
}
"""Shape and colour of each state; the word stands beside them always."""
_TO_BE_HEARD = {False: 0, None: 1, True: 2}
"""Schools in the order in which somebody has to see to them."""
LINES = 25
"""Requests on one page."""
REPAIRS = 6
"""Repairs that a plan's page lists; all of them stand below the form."""
BASES = 20
"""Plans that a new draft can go on from, on the form."""


def plan_routes(pages: Pages, desk: Desk, repairs: Repairs) -> APIRouter:
    """`/plan`, `/plan/{plan}` and the forms on them."""
    routes = APIRouter(tags=["console"], default_response_class=HTMLResponse)

    @routes.get("/plan", summary="The page of every plan")
    async def every(request: Request) -> Response:
        """Drafts and plans that count, and a form for a new draft."""
        return pages.page(request, "plans.html", here="plan", **await asyncio.to_thread(_every, desk))

    @routes.post("/plan", summary="Make a draft by the form", responses={422: {}})
    async def make(
        request: Request,
        term: Annotated[str, Form(max_length=64)] = "",
        first_week: Annotated[str, Form(max_length=4)] = "",
        last_week: Annotated[str, Form(max_length=4)] = "",
        words: Annotated[str, Form(max_length=200)] = "",
        based_on: Annotated[str, Form(max_length=64)] = "",
        file: Annotated[UploadFile | None, File()] = None,
    ) -> Response:
        """Go on to the new draft; what cannot be is told above the form."""
        asked = Asked(term, first_week, last_week, words, based_on, await file.read() if file is not None else b"")
        try:
            plan = await asyncio.to_thread(made, desk, asked, caller(request).name)
        except ScheduleRefused as refused:
            values = await asyncio.to_thread(_every, desk)
            told = pages.texts(request).said(str(refused))
            return pages.page(request, "plans.html", 422, here="plan", **(values | {"refused": told, "asked": asked}))
        return RedirectResponse(f"/plan/{plan}", 303)

    @routes.get("/plan/{plan}", summary="The page of one plan", responses={404: {}})
    async def one(request: Request, plan: str) -> Response:
        """Score, what is served and what is not, what schools said, the week, and what can be done next."""
        return await _page(pages, desk, repairs, request, plan, 200, "")

    @routes.get("/plan/{plan}/requests", summary="The requests of that page, with reasons", responses={404: {}})
    async def requests(request: Request, plan: str) -> Response:
        """The page loads it after itself: reasons take a second or two where nobody has asked for them before."""
        return await _page(pages, desk, repairs, request, plan, 200, "", template="plan_requests.html")

    @routes.get("/plan/{plan}/progress", summary="How solving goes, as a piece of that page", responses={404: {}})
    async def progress(request: Request, plan: str) -> Response:
        """The page loads it while a process searches."""
        found = desk.solving(plan)
        view = SolvingView.of(found) if found is not None else None
        return pages.page(request, "plan_progress.html", solving=view, running=_running(view), plan_id=plan, fits=False)

    @routes.post("/plan/{plan}/{what}", summary="What a form of that page asks for", responses={404: {}, 409: {}})
    async def do(request: Request, plan: str, what: str) -> Response:
        """Do it and come back; what cannot be is told above the page."""
        form = {name: value for name, value in (await request.form()).items() if isinstance(value, str)}
        try:
            await asyncio.to_thread(act, desk, plan, what, form, caller(request).name)
        except ScheduleRefused as refused:
            status = 404 if isinstance(refused, PlanUnknown) else 409
            return await _page(pages, desk, repairs, request, plan, status, pages.texts(request).said(str(refused)))
        return RedirectResponse(local_path(f"/plan/{plan}?{form.get('back', '')}"), 303)

    return routes


async def _page(
    pages: Pages,
    desk: Desk,
    repairs: Repairs,
    request: Request,
    plan: str,
    status: int,
    refused: str,
    template: str = "plan.html",
) -> Response:
    t, query = pages.texts(request), dict(request.query_params)
    try:
        why = template != "plan.html" or "why" in query
        values = await asyncio.to_thread(_one, desk, repairs, plan, query, t, why=why)
    except ScheduleRefused as error:
        return pages.page(request, "problem.html", 404, words=t.said(str(error)))
    return pages.page(request, template, status, here="plan", refused=refused, **values)


def _every(desk: Desk) -> dict[str, Any]:
    heads, terms = heads_shown(desk, None), desk.terms()
    live = [one for one in heads if one.state not in {PlanState.SUPERSEDED, PlanState.WITHDRAWN}]
    return {
        "plans": live,
        "former": [one for one in heads if one not in live],
        "terms": terms,
        "term_names": {one.id: one.name or one.id for one in terms},
        "bases": [one for one in heads if one.state is not PlanState.WITHDRAWN][:BASES],
        "kinds": KINDS,
        "refused": "",
        "asked": None,
    }


def _one(desk: Desk, repairs: Repairs, plan: str, query: dict[str, str], t: Texts, *, why: bool) -> dict[str, Any]:
    opened = desk.open(plan)
    book = opened.book
    view = shown(desk, opened)
    term = _term(desk, opened)
    choice = chosen(book, term, query.get("school", ""), query.get("whose", ""), query.get("week", ""))
    lines, found = _lines(opened, query)
    asked = [one.request for one in lines]
    explained = book.explained(asked) if why else book.explained_already(asked)
    return {
        "view": view,
        "kinds": KINDS,
        "running": _running(view.solving),
        "solving": view.solving,
        "plan_id": plan,
        "path": f"/plan/{plan}",
        "fits": view.fits,
        "goals": goals(view.score, t) if view.score is not None else [],
        "asked": [view.district_said, *sorted(view.schools, key=lambda one: _TO_BE_HEARD[one.approved])],
        "said_no": [one for one in view.schools if one.approved is False],
        "said_yes": sum(one.approved is True for one in view.schools),
        "term": term,
        "choice": choice,
        "grid": grid_of(book, term, choice, t) if view.score is not None else None,
        "whose": options(book, choice.school, t) if view.score is not None else [],
        "schools": [(one.id, one.name or one.id) for one in book.district.schools],
        "sides": SIDES,
        "grid_weeks": range(view.first_week, min(view.last_week, term.weeks) + 1) if term is not None else (),
        "repair_kinds": list(FIELDS) if view.counts_for else [],
        "repair_most": REPAIRS if view.counts_for else None,
        "repair_lines": repairs_shown(repairs, opened.head, t),
        "lines": lines,
        "explained": explained,
        "unexplained": book.fits and any(not one.served and one.request not in explained for one in lines),
        "list": found,
        "slot": lambda time: t("plan.slot", day=t(f"plan.day.{time[0]}"), period=time[1]),
        "query": urlencode({name: value for name, value in query.items() if name != "lang"}),
        "with_why": urlencode(query | {"why": "1"}),
        "back": urlencode(query),
        "subjects": sorted({one.subject for one in book.district.requests}),
        "bans": book.district.bans,
        "seconds": desk.seconds,
    }


def _term(desk: Desk, opened: Opened) -> Term | None:
    try:
        return desk.term(opened.head.term)
    except TermUnknown:
        return None


def _running(solving: SolvingView | None) -> bool:
    return solving is not None and solving.state not in OVER


def goals(score: Score, t: Texts) -> list[tuple[str, int]]:
    """What each goal brings or costs, in words and points; those that bring nothing are left out."""
    return [
        (t(f"plan.goal.{name}"), points) for name, points in score.model_dump().items() if points or name == "served"
    ]


def _lines(opened: Opened, query: dict[str, str]) -> tuple[list[RequestLine], dict[str, Any]]:
    """The requests of this page of the list, and where it stands."""
    show = query.get("show", "unserved" if opened.book.plan is not None else "all")
    served = {"served": True, "unserved": False}.get(show)
    school, subject, words = query.get("of_school", ""), query.get("subject", ""), query.get("q", "")[:200]
    every = requests_of(opened.book, served=served, school=school, subject=subject, words=words)
    number = int(query["page"][:9]) if query.get("page", "").isdecimal() else 1
    pages = max(1, -(-len(every) // LINES))
    number = min(max(1, number), pages)
    rest = {name: value for name, value in query.items() if name not in {"page", "lang", "why"}}
    found = {
        "show": show if served is not None else "all",
        "school": school,
        "subject": subject,
        "words": words,
        "count": len(every),
        "page": number,
        "pages": pages,
        "address": lambda page: "?" + urlencode(rest | {"page": page}) + "#requests",
    }
    return every[(number - 1) * LINES : number * LINES], found
