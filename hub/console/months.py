"""The page of month reports, and their workbook and PDF."""

import asyncio
from enum import StrEnum
from typing import Annotated, Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Query, Request
from starlette.responses import HTMLResponse, Response

from hub.api.problems import responses
from hub.console.month import Paper, paper_of
from hub.console.month_book import pdf, workbook
from hub.console.pages import Pages
from hub.console.words import when
from hub.insight.month.months import MonthRefused, Months
from hub.insight.month.report import MonthReport, Scope

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class File(StrEnum):
    """What a report can be taken away as."""

    XLSX = "xlsx"
    PDF = "pdf"


Month = Annotated[str, Query(max_length=20)]
Of = Annotated[str, Query(max_length=80, pattern="^(district|community|school):")]
Who = Annotated[str, Query(max_length=64, description="Id of the school, or name of the community.")]


def month_routes(pages: Pages, months: Months) -> APIRouter:
    """Month reports, to look at, to calculate with and to print."""
    routes = APIRouter()

    @routes.get("/api/v1/plan/months", tags=["plan"], summary="Months with a report", responses=responses())
    async def listed() -> list[str]:
        """As YYYY-MM, the newest first."""
        return await asyncio.to_thread(months.months)

    @routes.get("/api/v1/plan/months/{month}", tags=["plan"], summary="A month report", responses=responses(422))
    async def report(month: str, scope: Scope = Scope.DISTRICT, who: Who = "") -> MonthReport:
        """Lessons planned, held and missed with the reasons, who took part, and how the figures are spread."""
        return await asyncio.to_thread(months.report, month, scope, who)

    @routes.get(
        "/api/v1/plan/months/{month}/{file}",
        tags=["plan"],
        summary="A month report as a workbook or PDF",
        responses=responses(422),
        response_class=Response,
    )
    async def taken(request: Request, month: str, file: File, scope: Scope = Scope.DISTRICT, who: Who = "") -> Response:
        """In the reader's language (`?lang=`): `xlsx` or `pdf`."""
        t = pages.texts(request)

        def made() -> tuple[Paper, bytes]:
            told = months.report(month, scope, who)
            paper = paper_of(told, t, when(told.made))
            return paper, workbook(paper) if file is File.XLSX else pdf(paper)

        paper, data = await asyncio.to_thread(made)
        name = quote(f"{paper.title}.{file}")
        headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{name}"}
        return Response(data, media_type=XLSX if file is File.XLSX else "application/pdf", headers=headers)

    @routes.get("/months", tags=["console"], summary="The page of month reports", response_class=HTMLResponse)
    async def page(request: Request, month: Month = "", of: Of = "district:") -> Response:
        """One month of the district, a community or a school, in words; `of` is `school:ID` or `community:NAME`."""
        t = pages.texts(request)
        scope, _, who = of.partition(":")
        known = await asyncio.to_thread(months.months)
        month = month or await asyncio.to_thread(months.newest)
        status, values = 200, dict[str, Any](paper=None, words="")
        if month:
            try:
                told = await asyncio.to_thread(months.report, month, Scope(scope), who)
                values["paper"] = paper_of(told, t, when(told.made))
            except MonthRefused as refused:
                status, values["words"] = 404, str(refused)
        return pages.page(
            request,
            "months.html",
            status,
            here="months",
            months=known,
            month=month,
            chosen=of,
            choices=await asyncio.to_thread(_choices, months),
            query=urlencode({"month": month, "of": of}),
            files=urlencode({"scope": scope, "who": who}),
            **values,
        )

    return routes


def _choices(months: Months) -> list[tuple[Scope, str, str]]:
    """Whose months can be looked at: scope, id, name."""
    return [
        (Scope.DISTRICT, "", ""),
        *((Scope.COMMUNITY, one, one) for one in months.communities()),
        *((Scope.SCHOOL, one, name) for one, name in months.schools()),
    ]
