"""Chapters of lessons over HTTP: look at them, edit them, go back, and find them by their titles."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat
from starlette.responses import JSONResponse, Response

from contract.model import SessionId
from hub.api.access import caller
from hub.api.problems import Problem, responses
from hub.api.shapes import Shape
from hub.archive.playback import ChapterShown
from hub.insight.contents import LessonContents
from hub.insight.editing import NewChapter
from hub.insight.errors import ChaptersChanged, ChaptersRefused, ChaptersUnfit, LessonDeleted, Unfit
from hub.store.chapters import ChapterListRecord, ChapterRow, Found

FOUND_MOST = 50
"""Chapters that one search gives, unless it asks for more."""


class ChapterList(Shape):
    """The chapters of a lesson: they follow each other without a hole, from 0 to its end."""

    session: SessionId
    rev: int = Field(description="Revision of the list: grows with each change; 0 where nothing is here to cut.")
    edited: bool = Field(description="Whether an operator edited it; else it is derived from slides and marks.")
    editor: str = Field("", description="Who edited it last; empty where it is derived.")
    changed: float | None = Field(None, description="When it was edited, in seconds of hub UTC.")
    chapters: tuple[ChapterShown, ...]


class ChapterIn(BaseModel):
    """One chapter as it is to be; what else a list that was read holds of it is ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    t: FiniteFloat = Field(description="Session time at which it begins, in seconds; it lasts until the next one.")
    title: str | None = Field(None, description="1 to 200 printable signs; null where nobody knows it.")


class ChaptersIn(BaseModel):
    """A list in place of the one that was looked at."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    rev: int = Field(ge=0, description="Revision of the list that was looked at.")
    chapters: tuple[ChapterIn, ...] = Field(description="All of them, in order, the first at 0; 200 at the most.")


class ChaptersNewer(Problem):
    """The refusal of a change to a list that somebody else has changed."""

    newest: ChapterList


class ChaptersUnfitAnswer(Problem):
    """The refusal of a list that is none of this lesson's."""

    row: int | None = Field(None, description="Which row is wrong, from 1; null where it is the list as a whole.")
    reason: Unfit | None = Field(None, description="What is wrong with it, for whoever says it in another language.")


class ChapterFound(Shape):
    """A chapter whose title was sought."""

    session: SessionId
    lesson: str = Field(description="The session's title.")
    epoch: float = Field(description="Session time zero, in seconds of hub UTC.")
    chapter: ChapterShown
    play: str = Field(description="Where the console plays it from.")


def shown(record: ChapterListRecord) -> ChapterList:
    """A list as the API shows it."""
    return ChapterList(
        session=record.session,
        rev=record.rev,
        edited=record.edited,
        editor=record.editor if record.edited else "",
        changed=record.changed if record.edited else None,
        chapters=chapters_shown(record),
    )


def chapters_shown(record: ChapterListRecord) -> tuple[ChapterShown, ...]:
    """The chapters of a list as the API shows them."""
    return tuple(_shown(row) for row in record.rows)


def router(contents: LessonContents) -> APIRouter:
    """Routes under `/api/v1/sessions/{session}/chapters` and `/api/v1/chapters`."""
    routes = APIRouter(prefix="/api/v1", tags=["chapters"])
    refusals = responses(404, 410) | {409: {"model": ChaptersNewer}, 422: {"model": ChaptersUnfitAnswer}}

    @routes.get("/sessions/{session}/chapters", summary="The chapters of a lesson", responses=responses(404))
    async def chapters(session: str) -> ChapterList:
        """As an operator edited them, else derived: slides of the lead room, teachers' marks, the session's title."""
        return shown(await asyncio.to_thread(contents.of, session))

    @routes.put(
        "/sessions/{session}/chapters",
        summary="Edit the chapters of a lesson",
        response_model=ChapterList,
        responses=refusals,
    )
    async def edit(request: Request, session: str, new: ChaptersIn) -> ChapterList | Response:
        """Keep a list in place of the one at `rev`; where another is newer by now, the answer holds it."""
        rows = [NewChapter(one.t, one.title) for one in new.chapters]
        try:
            return shown(await asyncio.to_thread(contents.edit, session, new.rev, rows, caller(request).name))
        except ChaptersRefused as refusal:
            return _refusal(refusal)

    @routes.delete(
        "/sessions/{session}/chapters",
        summary="Go back to the derived chapters",
        response_model=ChapterList,
        responses=refusals,
    )
    async def revert(
        request: Request,
        session: str,
        rev: Annotated[int | None, Query(ge=0, description="The revision that was looked at; none: whichever.")] = None,
    ) -> ChapterList | Response:
        """Forget what was edited, and answer with what slides and marks say."""
        try:
            return shown(await asyncio.to_thread(contents.revert, session, rev, caller(request).name))
        except ChaptersRefused as refusal:
            return _refusal(refusal)

    @routes.get("/chapters", summary="Find chapters by their titles", responses=responses(422))
    async def find(
        q: Annotated[str, Query(min_length=1, max_length=200, description="Words that a title must hold, each.")],
        limit: Annotated[int, Query(ge=1, le=500, description="At most so many.")] = FOUND_MOST,
    ) -> list[ChapterFound]:
        """Chapters of every lesson that the archive holds, derived and edited, the newest lessons first."""
        return [_found(one) for one in await asyncio.to_thread(contents.find, q, limit)]

    return routes


def _shown(row: ChapterRow) -> ChapterShown:
    return ChapterShown(t=row.start, seconds=row.seconds, title=row.title, source=row.source, confidence=row.confidence)


def _found(found: Found) -> ChapterFound:
    play = f"/lessons/{found.session}?t={found.row.start:g}"
    return ChapterFound(
        session=found.session, lesson=found.lesson, epoch=found.epoch, chapter=_shown(found.row), play=play
    )


def _refusal(refusal: ChaptersRefused) -> Response:
    said = {"error": str(refusal), "what_to_do": refusal.what_to_do}
    if isinstance(refusal, ChaptersUnfit):
        unfit = ChaptersUnfitAnswer(**said, row=refusal.row, reason=refusal.reason)
        return JSONResponse(unfit.model_dump(mode="json"), 422)
    if isinstance(refusal, ChaptersChanged):
        newer = ChaptersNewer(**said, newest=shown(refusal.newest))
        return JSONResponse(newer.model_dump(mode="json"), 409)
    status = 410 if isinstance(refusal, LessonDeleted) else 409
    return JSONResponse(said, status)
