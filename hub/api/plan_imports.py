"""The school's facts over HTTP: imported after a dry run, listed, taken back."""

import asyncio
import json
from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, File, Form, Query, Request, UploadFile
from pydantic import Field
from starlette.responses import JSONResponse, Response

from hub.api.access import caller, problem
from hub.api.problems import responses
from hub.api.shapes import Shape
from hub.schedule.imports.errors import ImportRefused
from hub.schedule.imports.importing import Importing
from hub.schedule.imports.proposal import Proposal
from hub.schedule.imports.reading import FORMATS, Brought, Wanted
from hub.schedule.imports.showing import shown
from hub.schedule.imports.tables import BY_KEY
from hub.schedule.register.kinds import Kind
from hub.store.plan_facts import ImportRecord, PlanFactTable, UndoRefused

LARGEST_IMPORT_BYTES = 16 << 20
"""Of one request; larger files are imported by `tongtang plan import`, in a process of its own."""
MOST_ROWS = 20_000
"""Of one sheet: the hub has other work than reading, and a row takes about a tenth of a millisecond or more of it."""
MOST_FILES = 50
SHOWN_MOST = 1000
"""Changes, mistakes and notes of one answer; the counts beside them are of all."""


class MistakeView(Shape):
    """Something wrong, or worth knowing, and where."""

    file: str
    sheet: str = Field(description="Worksheet, or file inside an archive; empty where the file is one table.")
    row: int = Field(description="From 1, as a spreadsheet counts; a line where the file is no table; 0 for the file.")
    column: str = Field(description="The column's own header; empty for the row.")
    key: str = Field(description="What it is, for whoever says it in another language.")
    words: str = Field(description="Place and sentence in the language that was asked for.")


class FieldView(Shape):
    """One field of a fact that stays."""

    field: str
    before: Any
    after: Any


class FactChangeView(Shape):
    """One fact that would be, or was, changed."""

    what: Literal["added", "changed", "removed"]
    kind: Kind
    id: str
    name: str = Field(description="What people call it; empty where nobody said.")
    fields: tuple[FieldView, ...] = Field(description="What changes of a fact that stays.")
    after: dict[str, Any] | None = Field(description="The fact as it becomes; null where it is removed.")


class ProposalView(Shape):
    """A dry run, or what was made of it."""

    applied: str | None = Field(description="Id of the import; null where nothing was changed.")
    source: str
    format: str
    rows: int = Field(description="Rows that were read.")
    same: int = Field(description="Facts that the files say just as they are.")
    counts: dict[Kind, dict[str, int]] = Field(description="By kind: how many are added, changed, removed.")
    changes: tuple[FactChangeView, ...] = Field(description=f"The first {SHOWN_MOST}.")
    mistakes: tuple[MistakeView, ...] = Field(description=f"The first {SHOWN_MOST}.")
    mistakes_in_all: int
    notes: tuple[MistakeView, ...] = Field(description=f"The first {SHOWN_MOST}.")


class ImportView(Shape):
    """An import that was made."""

    id: str
    made: float = Field(description="In seconds of hub UTC.")
    operator: str
    source: str = Field(description="Names of the files; of one that takes another back, that one's id.")
    format: str
    words: str = Field(description="What it changed, in short.")
    undone: float | None = Field(description="When it was taken back; null while it counts.")


class Imports:
    """Imports into a hub that has other work: one file is read at a time, whoever sends it.

    Args:
        facts: the hub's.
        language: in which an import's own words are kept.
    """

    def __init__(self, facts: PlanFactTable, language: str) -> None:
        self.facts = facts
        self.importing = Importing(facts, language)
        self.one_at_a_time = asyncio.Lock()  # a workbook takes memory


def router(imports: Imports, timezone: str, language: str, now: Callable[[], float]) -> APIRouter:
    """Routes under `/api/v1/plan/imports` and `/api/v1/plan/facts`.

    Args:
        imports: the hub's.
        timezone: in which calendars are read.
        language: in which sentences are told where nobody asks for one.
        now: seconds of hub UTC.
    """
    routes = APIRouter(prefix="/api/v1/plan", tags=["plan"])
    facts = imports.facts
    _add_making(routes, imports, timezone, language, now)

    @routes.get("/imports", summary="What was imported", responses=responses())
    async def listed(
        limit: Annotated[int, Query(ge=1, le=1000, description="At most so many.")] = 100,
    ) -> list[ImportView]:
        """The newest first; those that were taken back, and those that took them back, with them."""
        return [_view(one) for one in await asyncio.to_thread(facts.imports, limit)]

    @routes.post(
        "/imports/{made}/undo",
        summary="Take an import back",
        response_model=ImportView,
        responses=responses(409),
    )
    async def undo(request: Request, made: str) -> ImportView | Response:
        """Every fact of it becomes what it was before; refused while later imports of the same facts count.

        The undoing is an import of its own: undoing that one makes the changes again.
        """
        try:
            return _view(await asyncio.to_thread(facts.undo, made, caller(request).name, now()))
        except UndoRefused as refused:
            return problem(409, str(refused), "look at GET /api/v1/plan/imports")

    @routes.get("/facts", summary="What the planner knows", responses=responses(422))
    async def known(
        kind: Annotated[Kind | None, Query(description="Of one kind; without: how many of each.")] = None,
        school: Annotated[str, Query(max_length=63, description="Those that name this school alone.")] = "",
    ) -> dict[str, Any]:
        """Facts of one kind as they are kept, in the order of their ids; or how many there are of each kind."""
        if kind is None:
            return {"counts": await asyncio.to_thread(facts.counts)}
        found = await asyncio.to_thread(facts.all, kind)
        return {"kind": kind, "facts": [json.loads(one.data) for one in found if school in {"", one.school}]}

    return routes


def _add_making(routes: APIRouter, imports: Imports, timezone: str, language: str, now: Callable[[], float]) -> None:
    importing = imports.importing

    @routes.post(
        "/imports",
        summary="Import the school's facts",
        response_model=ProposalView,
        responses=responses(409, 413) | {422: {"model": ProposalView}},
    )
    async def make(
        request: Request,
        files: Annotated[list[UploadFile], File(description="Of any format that docs/planning.md names.")],
        kind: Annotated[str, Form(description="What the file is, where it cannot be seen.")] = "",
        school: Annotated[str, Form(description="Id or name of the school of rows that name none.")] = "",
        spoken: Annotated[str, Form(alias="language", description="zh or en.")] = "",
        *,
        dry_run: Annotated[bool, Form(description="Whether nothing is changed.")] = True,
        replace: Annotated[bool, Form(description="Whether facts that the files lack are removed.")] = False,
        skip_bad_rows: Annotated[bool, Form(description="Whether to go on without rows that have mistakes.")] = False,
    ) -> Response:
        """Show what files would change, every mistake with file, sheet, row and column; or make it so.

        A dry run unless `dry_run` is false. Then all changes are made, or none: 422 where mistakes stand in the way.
        """
        if kind and kind not in (*FORMATS, *BY_KEY):
            return problem(422, f"the kind {kind!r} is not known", f"say one of: {', '.join((*FORMATS, *BY_KEY))}")
        if len(files) > MOST_FILES:
            return problem(413, f"these are {len(files)} files", f"send {MOST_FILES} at most")
        brought = [Brought(one.filename or "file", await one.read()) for one in files]
        wanted = Wanted(kind, school, replace, timezone, MOST_ROWS)

        def run() -> tuple[int, dict[str, Any]]:
            proposal = importing.dry_run(brought, wanted)
            record = None
            stands = bool(proposal.mistakes) and not skip_bad_rows
            if not dry_run and not stands:
                name = caller(request).name
                record = importing.apply(proposal, name, now(), skip_bad_rows=skip_bad_rows, replaced=replace)
            told = _told(proposal, spoken or language)
            return 422 if stands and not dry_run else 200, {"applied": record.id if record else None, **told}

        async with imports.one_at_a_time:
            try:
                status, told = await asyncio.to_thread(run)
            except ImportRefused as refused:
                return problem(409, str(refused), "look at the dry run again, then import once more")
        return JSONResponse(told, status)


def _told(proposal: Proposal, language: str) -> dict[str, Any]:
    """A dry run, cut to what one answer holds."""
    told = shown(proposal, language)
    told["mistakes_in_all"] = len(told["mistakes"])
    for part in ("changes", "mistakes", "notes"):
        told[part] = told[part][:SHOWN_MOST]
    return told


def _view(record: ImportRecord) -> ImportView:
    return ImportView(
        id=record.id,
        made=record.made,
        operator=record.operator,
        source=record.source,
        format=record.format,
        words=record.words,
        undone=record.undone,
    )
