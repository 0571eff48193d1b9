"""The console's page of the plan's facts, the empty tables to fill in, and taking an import back."""

import asyncio
from functools import cache
from urllib.parse import quote

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from hub.api.access import caller
from hub.console.facts_names import Names
from hub.console.facts_page import FactsPage
from hub.schedule.imports.saying import why_not
from hub.schedule.imports.tables import BY_KEY
from hub.schedule.imports.template import csv_template, template, title_of
from hub.schedule.register.kinds import Kind
from hub.store.plan_facts import UndoRefused

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def fact_routes(facts: FactsPage) -> APIRouter:
    """`/facts`, the dry runs below it, and what their forms do."""
    routes = APIRouter(tags=["console"], default_response_class=HTMLResponse)

    @routes.get("/facts", summary="The page of the plan's facts")
    async def every(request: Request) -> Response:
        """How many there are school by school, a form for a file, templates, and what was imported."""
        return await asyncio.to_thread(facts.all, request)

    @routes.get("/facts/templates/{file}", summary="An empty table to be filled in", responses={404: {}})
    async def empty_table(request: Request, file: str) -> Response:
        """`facts.xlsx`, or one table as `teachers.csv`, with headers in the reader's language."""
        t = facts.pages.texts(request)
        key, _, suffix = file.rpartition(".")
        if file == "facts.xlsx":
            data = await asyncio.to_thread(_workbook, t.language)
            return _download(data, XLSX, f"{t('facts.title')}.xlsx", file)
        if suffix != "csv" or key not in BY_KEY:
            return facts.pages.page(request, "problem.html", 404, words=t("facts.no_template"))
        named = f"{title_of(BY_KEY[key], t.language)}.csv"
        return _download(csv_template(BY_KEY[key], t.language), "text/csv; charset=utf-8", named, file)

    @routes.post("/facts/imports/{made}/undo", summary="Take an import back, from the page", responses={409: {}})
    async def undo(request: Request, made: str) -> Response:
        """Every fact of it becomes what it was; what cannot be is told above the page."""
        try:
            record = await asyncio.to_thread(facts.facts.undo, made, caller(request).name, facts.now())
        except UndoRefused as refused:
            return await asyncio.to_thread(_refused, facts, request, refused)
        return RedirectResponse(f"/facts?done={record.id}", 303)

    return routes


def _refused(facts: FactsPage, request: Request, refused: UndoRefused) -> Response:
    """The page, with why an import cannot be taken back above it."""
    named: dict[Kind, set[str]] = {}
    for kind, fact in refused.later.values():
        named.setdefault(Kind(kind), set()).add(fact)
    told = why_not(refused, Names(facts.facts).with_(named)).told(facts.pages.texts(request).language)
    return facts.all(request, 409, refused=told)


@cache
def _workbook(language: str) -> bytes:
    return template(language)


def _download(data: bytes, media_type: str, name: str, plain_name: str) -> Response:
    disposition = f"attachment; filename=\"{plain_name}\"; filename*=UTF-8''{quote(name)}"
    return Response(data, media_type=media_type, headers={"Content-Disposition": disposition, "Vary": "Cookie"})
