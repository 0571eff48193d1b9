"""The page of what is settled beforehand: pins, bans, wishes, rules and goals; each form is an import of one row."""

import asyncio
import json
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from hub.api.access import caller
from hub.console.facts_names import Names
from hub.console.facts_page import LINES, FactsPage, last_page, page_number
from hub.console.texts import Texts
from hub.schedule.imports.by_hand import by_hand, without
from hub.schedule.imports.columns import SETTINGS
from hub.schedule.imports.errors import ImportRefused
from hub.schedule.imports.proposal import Proposal
from hub.schedule.imports.saying import field_told, value_told
from hub.schedule.imports.tables import BY_KEY, Table
from hub.schedule.imports.template import explained, title_of
from hub.schedule.register.kinds import MODELS, Kind
from hub.store.plan_facts import PlanFactTable

TABLES = ("pins", "bans", "wishes", "rules")
"""The tables that have a form."""


def want_routes(facts: FactsPage) -> APIRouter:
    """`/facts/wants` and its forms."""
    routes = APIRouter(tags=["console"], default_response_class=HTMLResponse)

    @routes.get("/facts/wants", summary="The page of pins, bans, wishes, rules and goals")
    async def wants(request: Request) -> Response:
        """One kind at a time, some on a page, with the names of whom they are about."""
        table = BY_KEY.get(request.query_params.get("kind", ""), BY_KEY["pins"])
        return await asyncio.to_thread(_page, facts, request, table if table.key in TABLES else BY_KEY["pins"])

    @routes.post("/facts/wants/{kind}", summary="Add or change one of them, by the form", responses={404: {}, 422: {}})
    async def add(request: Request, kind: str) -> Response:
        """An import of one row; what is wrong with it is told above the form."""
        if kind not in TABLES:
            return facts.pages.page(request, "problem.html", 404, words=facts.pages.texts(request)("facts.no_act"))
        table, t = BY_KEY[kind], facts.pages.texts(request)
        typed = {name: value[:200] for name, value in (await request.form()).items() if isinstance(value, str)}

        def proposed() -> Proposal:
            return by_hand(table, typed, facts.facts.everything(), t.language)

        async with facts.imports.one_at_a_time:
            proposal = await asyncio.to_thread(proposed)
            if not proposal.mistakes and proposal.changes:
                return await _made(facts, request, table, proposal)
        told = [f"{one.where.column}: {one.what.told(t.language)}" for one in proposal.mistakes]
        refused = told or [t("facts.same") if proposal.same else t("facts.nothing_typed")]
        return await asyncio.to_thread(_page, facts, request, table, 422, refused, typed)

    @routes.post("/facts/wants/{kind}/{fact}/remove", summary="Remove one of them", responses={404: {}})
    async def remove(request: Request, kind: str, fact: str) -> Response:
        """An import that removes one fact."""
        t, table = facts.pages.texts(request), BY_KEY[kind if kind in TABLES else "pins"]
        found = await asyncio.to_thread(facts.facts.get, table.kind, fact)
        if found is None or kind not in TABLES or kind == "rules":
            return await asyncio.to_thread(_page, facts, request, table, 404, [t("facts.no_want")])
        return await _made(facts, request, table, without(table.kind, fact, found.data))

    return routes


async def _made(facts: FactsPage, request: Request, table: Table, proposal: Proposal) -> Response:
    t = facts.pages.texts(request)
    try:
        apply = facts.imports.importing.apply
        record = await asyncio.to_thread(apply, proposal, caller(request).name, facts.now())
    except ImportRefused:
        return await asyncio.to_thread(_page, facts, request, table, 409, [t("facts.try_again")])
    return RedirectResponse(f"/facts/wants?{urlencode({'kind': table.key, 'done': record.id if record else ''})}", 303)


def _page(
    facts: FactsPage,
    request: Request,
    table: Table,
    status: int = 200,
    refused: Iterable[str] = (),
    typed: Mapping[str, str] | None = None,
) -> Response:
    t, query = facts.pages.texts(request), request.query_params
    rows = facts.facts.all(table.kind) if table.key != "rules" else []
    at = page_number(query.get("page", ""), len(rows))
    lines = [json.loads(one.data) for one in rows[(at - 1) * LINES : at * LINES]]
    counts = facts.facts.counts()
    return facts.pages.page(
        request,
        "facts_wants.html",
        status,
        here="facts",
        path="/facts/wants",
        query=urlencode({"kind": table.key, "page": at}),
        tabs=[(one, title_of(BY_KEY[one], t.language), counts.get(BY_KEY[one].kind, 0)) for one in TABLES],
        table=table.key,
        title=title_of(table, t.language),
        refused=list(refused),
        done=facts.made(t, query.get("done", "")),
        form=_form(table, typed or {}, t),
        settings=_settings(facts.facts, t) if table.key == "rules" else [],
        **_listed(table, lines, facts.facts, t),
        count=len(rows),
        at=at,
        last=last_page(len(rows)),
        address=lambda page: "?" + urlencode({"kind": table.key, "page": page}),
    )


def _listed(table: Table, lines: list[dict[str, Any]], facts: PlanFactTable, t: Texts) -> dict[str, Any]:
    """The columns in which anything stands, and each line's cells."""
    columns = [one for one in table.columns if one.field != "id" and any(one.field in line for line in lines)]
    called = Names(facts).of(lines)

    def cell(field: str, line: dict[str, Any]) -> str:
        return value_told(field, line[field], t.language, called) if field in line else ""

    return {
        "columns": [field_told(table.kind, one.field, t.language) for one in columns],
        "lines": [(line["id"], [cell(one.field, line) for one in columns]) for line in lines],
    }


def _form(table: Table, typed: Mapping[str, str], t: Texts) -> list[dict[str, Any]]:
    """The form's fields; ids are made by themselves."""
    return [
        {
            "name": one.field,
            "label": one.zh if t.language == "zh" else one.en,
            "hint": explained(table, one, t.language),
            "needed": one.needed,
            "value": typed.get(one.field, ""),
        }
        for one in table.columns
        if one.field != "id"
    ]


def _settings(facts: PlanFactTable, t: Texts) -> list[dict[str, Any]]:
    """Rules and goals: what each is, and what it is by default."""
    there = {kind: facts.get(kind, "district") for kind in (Kind.RULES, Kind.GOALS)}
    said = {kind: json.loads(one.data) if one is not None else {} for kind, one in there.items()}
    lines = []
    for kind, name in SETTINGS.values():
        default = MODELS[kind].model_fields[name].default
        lines.append(
            {
                "key": name,
                "name": field_told(kind, name, t.language),
                "words": t(f"facts.setting.{name}"),
                "value": said[kind].get(name, default),
                "default": default,
            }
        )
    return lines
