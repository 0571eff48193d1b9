"""The page on which lessons are found by their knowledge points."""

import asyncio
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from starlette.responses import HTMLResponse, Response

from hub.console.pages import Pages
from hub.insight.contents import LessonContents
from hub.store.chapters import Found

FOUND_MOST = 100
"""Chapters on one page; whoever gets so many is asked for more words."""


def found_routes(pages: Pages, contents: LessonContents) -> APIRouter:
    """The search over the chapters of all lessons."""
    routes = APIRouter(tags=["console"], default_response_class=HTMLResponse)

    @routes.get("/chapters", summary="The page that finds chapters")
    async def page(request: Request, q: Annotated[str, Query(max_length=200)] = "") -> Response:
        """Chapters of every lesson whose titles hold each word of `q`, and where to watch them."""
        found = await asyncio.to_thread(contents.find, q, FOUND_MOST)
        return pages.page(
            request,
            "found.html",
            here="chapters",
            q=q,
            found=found,
            most=FOUND_MOST,
            play=play,
            query=urlencode({"q": q}),
        )

    return routes


def play(found: Found) -> str:
    """Where a chapter is watched."""
    return f"/lessons/{found.session}?t={found.row.start:g}"
