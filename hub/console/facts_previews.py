"""Dry runs in the console: a file is sent, what it would change is looked at, and made real or let go."""

import asyncio
from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from starlette.datastructures import UploadFile
from starlette.responses import HTMLResponse, RedirectResponse, Response

from hub.api.access import caller
from hub.api.plan_imports import LARGEST_IMPORT_BYTES, MOST_ROWS
from hub.console.facts_held import DryRun, DryRunGone
from hub.console.facts_names import Names
from hub.console.facts_page import LINES, FactsPage, last_page, page_number
from hub.console.facts_shown import KINDS_OF_CHANGE, change_lines, mistake_lines
from hub.schedule.imports.errors import FactsMoved, ImportRefused
from hub.schedule.imports.importing import summary
from hub.schedule.imports.reading import FORMATS, Brought, Wanted
from hub.schedule.imports.tables import BY_KEY

FORM_BYTES = 1 << 16
"""What a form has beside its file, at most."""
DRAINED_BYTES_MOST = 256 << 20
"""Of a file that is too large anyway: a browser that is cut off in the middle shows no words."""


def preview_routes(facts: FactsPage) -> APIRouter:
    """The page of one dry run, and what its forms do."""
    routes = APIRouter(tags=["console"], default_response_class=HTMLResponse)

    @routes.get("/facts/previews/{dry_run}", summary="The page of one dry run", responses={404: {}})
    async def preview(request: Request, dry_run: str) -> Response:
        """What a file would change, line by line, and every mistake by row and column."""
        try:
            held = facts.dry_runs.get(dry_run, caller(request).name)
        except DryRunGone:
            return await _gone(facts, request)
        return await asyncio.to_thread(_preview, facts, request, held)

    @routes.post("/facts/previews/{dry_run}/{what}", summary="Make a dry run real", responses={404: {}, 409: {}})
    async def make(request: Request, dry_run: str, what: str) -> Response:
        """`apply` makes what was shown, `skip` does so without the rows that have mistakes, `drop` forgets it.

        `again` reads the same file otherwise, as the form says.
        """
        t, name, done, skip = facts.pages.texts(request), caller(request).name, facts.dry_runs.make_real, what == "skip"
        if what == "drop":
            facts.dry_runs.drop(dry_run, name)
            return RedirectResponse("/facts", 303)
        if what == "again":
            return await _again(facts, request, dry_run)
        if what not in {"apply", "skip"}:
            return facts.pages.page(request, "problem.html", 404, words=t("facts.no_act"))
        try:
            async with facts.imports.one_at_a_time:
                made = await asyncio.to_thread(done, dry_run, name, facts.now(), skip_bad_rows=skip)
        except DryRunGone:
            return await _gone(facts, request)
        except ImportRefused as error:
            told = t("facts.moved") if isinstance(error, FactsMoved) else t("facts.mistakes_stand")
            held = facts.dry_runs.get(dry_run, name)
            return await asyncio.to_thread(_preview, facts, request, held, 409, told)
        return RedirectResponse(f"/facts?done={made}" if made else "/facts", 303)

    return routes


def fact_upload(facts: FactsPage) -> APIRouter:
    """The form that takes a file; it has a limit of its own, and says so in words."""
    routes = APIRouter(tags=["console"], default_response_class=HTMLResponse)

    @routes.post("/facts", summary="Show what a file would change", responses={413: {}, 422: {}})
    async def show(request: Request) -> Response:
        """Go on to the dry run's own page; nothing is changed."""
        t = facts.pages.texts(request)
        if not await _fits(request):
            told = t("facts.too_large", mib=LARGEST_IMPORT_BYTES >> 20)
            return await asyncio.to_thread(facts.all, request, 413, refused=told)
        async with request.form(max_files=1, max_fields=10) as form:
            asked = {name: value[:200] for name, value in form.items() if isinstance(value, str)}
            file = form.get("file")
            brought = (
                Brought(_printed(file.filename), await file.read())
                if isinstance(file, UploadFile) and file.filename
                else None
            )
        wanted = _wanted(asked, facts.timezone)
        if brought is None or wanted is None:
            told = t("facts.no_file") if brought is None else t("facts.no_kind")
            return await asyncio.to_thread(facts.all, request, 422, refused=told, asked=asked)
        return await _shown(facts, request, [brought], wanted)

    return routes


async def _again(facts: FactsPage, request: Request, dry_run: str) -> Response:
    """Read the file of a dry run otherwise."""
    form = await request.form()
    wanted = _wanted({name: value[:200] for name, value in form.items() if isinstance(value, str)}, facts.timezone)
    try:
        held = facts.dry_runs.get(dry_run, caller(request).name)
    except DryRunGone:
        return await _gone(facts, request)
    if wanted is None:
        t = facts.pages.texts(request)
        return await asyncio.to_thread(_preview, facts, request, held, 422, t("facts.no_kind"))
    return await _shown(facts, request, held.files, wanted)


def _wanted(asked: Mapping[str, str], timezone: str) -> Wanted | None:
    """How a file is to be read; None where the kind is none."""
    kind = asked.get("kind", "")
    if kind and kind not in (*FORMATS, *BY_KEY):
        return None
    return Wanted(kind, asked.get("school", "").strip(), "replace" in asked, timezone, MOST_ROWS)


async def _shown(facts: FactsPage, request: Request, files: Sequence[Brought], wanted: Wanted) -> Response:
    """Go on to the page of a new dry run."""
    async with facts.imports.one_at_a_time:
        held = await asyncio.to_thread(facts.dry_runs.show, files, wanted, caller(request).name)
    return RedirectResponse(f"/facts/previews/{held.id}", 303)


async def _fits(request: Request) -> bool:
    """Whether a form may be read; one that is too large is let run out, so that the answer is read."""
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) <= LARGEST_IMPORT_BYTES + FORM_BYTES:
        return True
    drained = 0
    async for piece in request.stream():
        drained += len(piece)
        if drained > DRAINED_BYTES_MOST:
            break
    return False


def _printed(name: str) -> str:
    """A file's name as it can be kept."""
    return "".join(sign for sign in name if sign.isprintable())[-200:]


async def _gone(facts: FactsPage, request: Request) -> Response:
    t = facts.pages.texts(request)
    return await asyncio.to_thread(facts.all, request, 404, refused=t("facts.gone"))


def _preview(facts: FactsPage, request: Request, held: DryRun, status: int = 200, refused: str = "") -> Response:
    """What one file would change, and what is wrong with it."""
    t, query, proposal = facts.pages.texts(request), request.query_params, held.proposal
    at, wrong_at = (
        page_number(query.get(name, ""), len(every))
        for name, every in (("page", proposal.changes), ("wrong", proposal.mistakes))
    )
    shown = proposal.changes[(at - 1) * LINES : at * LINES]
    wrong = proposal.mistakes[(wrong_at - 1) * LINES : wrong_at * LINES]
    return facts.pages.page(
        request,
        "facts_preview.html",
        status,
        here="facts",
        dry_run=held,
        proposal=proposal,
        summary=summary(proposal.counts(), t.language),
        changes=change_lines(shown, Names(facts.facts, proposal.changes), t),
        shapes=KINDS_OF_CHANGE,
        mistakes=mistake_lines(wrong, t.language),
        notes=mistake_lines(proposal.notes[:LINES], t.language),
        at=at,
        last=last_page(len(proposal.changes)),
        wrong_at=wrong_at,
        wrong_last=last_page(len(proposal.mistakes)),
        address=lambda page: f"?page={page}&wrong={wrong_at}#changes",
        wrong_address=lambda page: f"?page={at}&wrong={page}#mistakes",
        refused=refused,
        asked={"kind": held.wanted.kind, "school": held.wanted.school}
        | ({"replace": ""} if held.wanted.replace else {}),
        **facts.how(t),
        path=f"/facts/previews/{held.id}",
        query=urlencode({"page": at, "wrong": wrong_at}),
    )
