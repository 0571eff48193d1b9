"""The console's pages: sign in, overview, one lesson."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse, RedirectResponse, Response

from hub.api.access import problem
from hub.api.sessions import known, playback
from hub.api.shapes import Overview
from hub.api.signin import COOKIE, COOKIE_LIFE_S, HubSignIns, Tries
from hub.archive.store import PackageStore
from hub.console.assets import Assets
from hub.console.lesson import lane, missing_words, screens, staged
from hub.console.overview import kind_of, overview_page, rung_kind
from hub.console.texts import LANGUAGE_COOKIE, Texts, language_of, load_texts
from hub.console.words import remark_of_room, remark_words, size, span, when
from hub.insight.contents import LessonContents
from hub.session.conductor import Conductor
from hub.session.errors import SessionUnknown
from hub.session.views import SessionView

YEAR_S = 365 * 86_400


class Pages:
    """Makes pages from templates, in the reader's language."""

    def __init__(self, default_language: str) -> None:
        self._default = default_language
        self._texts = load_texts()
        self.assets = Assets()
        self._templates = Environment(
            loader=FileSystemLoader(Path(__file__).parent / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals.update(asset=self.assets.address, span=span, when=when, size=size, kind_of=kind_of)
        self._templates.globals.update(remark_words=remark_words, remark_of_room=remark_of_room, rung_kind=rung_kind)

    def texts(self, request: Request) -> Texts:
        """The words of the reader's language."""
        return self._texts[language_of(request, self._default)]

    def page(self, request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
        """A page; a language chosen in its address is remembered."""
        t = self.texts(request)
        other = "en" if t.language == "zh" else "zh"
        shown: dict[str, Any] = {"signed_in": True, "here": ""} | values
        html = self._templates.get_template(template).render(t=t, other_language=other, **shown)
        answer = HTMLResponse(html, status, {"Vary": "Cookie, Accept-Language", "Content-Language": t.language})
        if request.query_params.get("lang") == t.language:
            answer.set_cookie(LANGUAGE_COOKIE, t.language, max_age=YEAR_S, httponly=True, samesite="strict")
        return answer


def sign_in_routes(pages: Pages, sign_ins: HubSignIns, tries: Tries) -> APIRouter:
    """Sign in, sign out, and the console's own files."""
    routes = APIRouter(tags=["console"], default_response_class=HTMLResponse)

    @routes.get("/login", summary="The sign-in page")
    async def form(request: Request) -> Response:
        """A form for the operator's token."""
        there = local_path(request.query_params.get("next", "/"))
        return pages.page(request, "login.html", signed_in=False, next=there, words="")

    @routes.post("/login", summary="Sign in", responses={401: {}, 429: {}})
    async def sign_in(
        request: Request,
        token: Annotated[str, Form(max_length=500)] = "",
        next: Annotated[str, Form(max_length=500)] = "/",  # noqa: A002  the name of the form's field
    ) -> Response:
        """Set the session's cookie where the token is right; too many wrong ones from an address must wait."""
        address = request.client.host if request.client else ""
        there = local_path(next)
        wait_s = tries.wait_s(address)
        t = pages.texts(request)
        if wait_s > 0:
            words = t("login.wait", seconds=int(wait_s) + 1)
            answer: Response = pages.page(request, "login.html", 429, signed_in=False, next=there, words=words)
            answer.headers["Retry-After"] = str(int(wait_s) + 1)
            return answer
        name = await asyncio.to_thread(sign_ins.operator, token.strip())
        if name is None:
            tries.wrong(address)
            words = t("login.wrong")
            return pages.page(request, "login.html", 401, signed_in=False, next=there, words=words)
        tries.right(address)
        answer = RedirectResponse(there, 303)
        cookie = await asyncio.to_thread(sign_ins.cookie, name)
        secure = request.url.scheme == "https"
        answer.set_cookie(COOKIE, cookie, max_age=COOKIE_LIFE_S, httponly=True, samesite="strict", secure=secure)
        return answer

    @routes.post("/logout", summary="Sign out")
    async def sign_out() -> Response:
        """Take the session's cookie away."""
        answer = RedirectResponse("/login", 303)
        answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
        return answer

    @routes.get("/static/{name}", summary="One of the console's files", responses={404: {}})
    async def asset(request: Request, name: str) -> Response:
        """A style sheet, module or picture; its address changes with its contents, so it may be kept for ever."""
        found = pages.assets.answer(request, name)
        return found or problem(404, "the console has no such file", "load the page again")

    return routes


def page_routes(
    pages: Pages,
    overview: Callable[[], Overview],
    sessions: Conductor,
    store: PackageStore,
    chapters: LessonContents,
    judged: Callable[[SessionView], SessionView] = lambda view: view,
) -> APIRouter:
    """The overview and the lesson; `judged` adds how a lesson goes that runs, and may block on the database."""
    routes = APIRouter(tags=["console"], default_response_class=HTMLResponse)

    @routes.get("/", summary="The overview page")
    async def home(request: Request) -> Response:
        """Rooms, lessons that run, lessons that are over."""
        page = overview_page(await asyncio.to_thread(overview))
        return pages.page(request, "home.html", here="overview", page=page)

    @routes.get("/overview", summary="The overview page's contents")
    async def contents(request: Request) -> Response:
        """What the page shows, without its frame; the page loads it at each change."""
        page = overview_page(await asyncio.to_thread(overview))
        return pages.page(request, "overview.html", page=page)

    @routes.get("/lessons/{session}", summary="The page of one lesson", responses={404: {}})
    async def lesson(request: Request, session: str) -> Response:
        """Both recordings in step, the timeline, downloads, and what is missing."""
        t = pages.texts(request)
        try:
            view = await asyncio.to_thread(lambda: judged(known(sessions, session)))
            found = await asyncio.to_thread(playback, sessions, store, chapters, session)
        except SessionUnknown:
            return pages.page(request, "problem.html", 404, words=t("problem.lesson"))
        return pages.page(
            request,
            "lesson.html",
            view=view,
            lesson=found,
            playable=bool(screens(found)),
            screens=screens(found),
            staged=staged(found),
            missing=missing_words(found, view.policy, t),
            names={room.room: room.name or room.room for room in view.rooms},
            lane=lambda room: lane(room, found.seconds, t),
        )

    return routes


def local_path(wanted: str) -> str:
    """`wanted` where it is a path on this hub, else the overview: a sign-in never leads to another site."""
    inside = wanted.startswith("/") and not wanted.startswith("//") and "\\" not in wanted and wanted.isprintable()
    return wanted if inside else "/"
