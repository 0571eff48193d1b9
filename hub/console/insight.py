"""How a lesson goes, on the console while it runs."""

import asyncio
from collections.abc import Callable

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response

from contract.state import SessionState
from hub.console.pages import Pages
from hub.session.errors import SessionUnknown
from hub.session.views import SessionView

RUNS = frozenset({SessionState.READYING, SessionState.READY, SessionState.LIVE})


def insight_routes(pages: Pages, view: Callable[[str], SessionView]) -> APIRouter:
    """What the page of a running lesson loads again and again; `view` may block on the database."""
    routes = APIRouter(tags=["console"], default_response_class=HTMLResponse)

    @routes.get("/lessons/{session}/insight", summary="How a running lesson goes", responses={204: {}, 404: {}})
    async def insight(request: Request, session: str) -> Response:
        """A few figures, without the page's frame; nothing once the lesson is over."""
        try:
            shown = await asyncio.to_thread(view, session)
        except SessionUnknown:
            return Response(status_code=404)
        if shown.state not in RUNS:
            return Response(status_code=204)
        return pages.page(request, "insight_figures.html", insight=shown.insight)

    return routes
