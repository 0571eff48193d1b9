"""Reports of lessons over HTTP."""

from fastapi import APIRouter
from starlette.responses import JSONResponse

from hub.api.problems import responses
from hub.insight.reports import LessonReports


def router(reports: LessonReports) -> APIRouter:
    """The route `/api/v1/sessions/{session}/report`."""
    routes = APIRouter(prefix="/api/v1/sessions", tags=["sessions"])

    @routes.get("/{session}/report", summary="The report of a lesson", responses=responses(404))
    async def report(session: str) -> JSONResponse:
        """What happened in the lesson, at class level: figures with coverage, interval and error, or why not known.

        `standing` says whether there is anything to tell: `whole`, `part` (rooms' packages are missing), or why not.
        The fields are told in docs/researcher.md.
        """
        return JSONResponse(await reports.of(session))

    return routes
