"""The materials of a lesson on its page: which files, who lacks them, and adding and taking out while it is to come."""

import asyncio

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response

from hub.api.sessions import known
from hub.console.pages import Pages
from hub.session.conductor import Conductor
from hub.session.errors import SessionUnknown
from hub.session.materials import Materials
from hub.session.views import SessionView


def material_routes(pages: Pages, sessions: Conductor, materials: Materials) -> APIRouter:
    """The part of a lesson's page that tells of its files; the page loads it by itself."""
    routes = APIRouter(tags=["console"], default_response_class=HTMLResponse)

    @routes.get("/lessons/{session}/materials", summary="A lesson's files, for its page", responses={404: {}})
    async def files(request: Request, session: str) -> Response:
        """Each file, and the rooms that do not hold it."""
        t = pages.texts(request)
        try:
            view = await asyncio.to_thread(known, sessions, session)
            found = await asyncio.to_thread(materials.of, session)
        except SessionUnknown:
            return pages.page(request, "problem.html", 404, words=t("problem.lesson"))
        names = {room.room: room.name or room.room for room in view.rooms}
        return pages.page(
            request,
            "materials.html",
            files=found,
            named=lambda rooms: t("materials.comma").join(names[room] for room in rooms),
            session=view.session,
            changeable=changeable(view),
        )

    return routes


def changeable(view: SessionView) -> bool:
    """Whether files may still be added and taken out: until the lesson's end."""
    return view.now_t < view.seconds and view.state != "cancelled"
