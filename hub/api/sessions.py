"""Sessions over HTTP: make one, look at it, end it, play it."""

import asyncio
from collections.abc import Callable

from fastapi import APIRouter

from hub.api.chapters import chapters_shown
from hub.api.problems import responses
from hub.archive.playback import Playback, room_playback
from hub.archive.store import PackageId, PackageStore
from hub.insight.contents import LessonContents
from hub.session.conductor import Conductor
from hub.session.errors import SessionUnknown
from hub.session.views import NewSession, SessionView


def router(
    sessions: Conductor,
    store: PackageStore,
    contents: LessonContents,
    judged: Callable[[SessionView], SessionView] = lambda view: view,
) -> APIRouter:
    """Routes under `/api/v1/sessions`.

    Args:
        sessions: conducts them.
        store: holds their packages.
        contents: knows their chapters.
        judged: adds what is expected of the rooms of a session that begins soon, and how one goes that runs; may
            block on the database.
    """
    routes = APIRouter(prefix="/api/v1/sessions", tags=["sessions"])

    @routes.post("", summary="Make a session", status_code=201, responses=responses(404, 409, 422))
    async def create(new: NewSession) -> SessionView:
        """Make a session; `start` is `now` or seconds of UTC. Its rooms are told at once, or when they are back."""
        return await asyncio.to_thread(sessions.create, new)

    @routes.get("", summary="The sessions around now", responses=responses())
    async def around_now() -> list[SessionView]:
        """The newest 200 sessions that have begun and the next 50 to come, newest first, with each room's state."""
        return await asyncio.to_thread(lambda: [judged(one) for one in sessions.views()])

    @routes.get("/{session}", summary="One session", responses=responses(404))
    async def one(session: str) -> SessionView:
        """A session with the state, words, result and receipt of each room.

        Before the lesson, what is expected of them; while it runs, what the lead room says of how it goes.
        """
        return await asyncio.to_thread(lambda: judged(known(sessions, session)))

    @routes.post("/{session}/end", summary="End a session", responses=responses(404, 409))
    async def end(session: str) -> SessionView:
        """End a session that is running: its rooms close their recordings, which are kept."""
        return await asyncio.to_thread(sessions.end, session)

    @routes.post("/{session}/cancel", summary="Call a session off", responses=responses(404, 409))
    async def cancel(session: str) -> SessionView:
        """Call a session off; nothing more is expected of its rooms."""
        return await asyncio.to_thread(sessions.cancel, session)

    @routes.get("/{session}/playback", summary="Play a finished lesson", responses=responses(404))
    async def play(session: str) -> Playback:
        """Chapters, and of every room whose package is archived its tracks, speech turns and slide changes."""
        return await asyncio.to_thread(playback, sessions, store, contents, session)

    return routes


def known(sessions: Conductor, session: str) -> SessionView:
    """Where `session` stands; blocks on the database.

    Raises:
        SessionUnknown: there is no such session.
    """
    view = sessions.view(session)
    if view is None:
        raise SessionUnknown(f"there is no session {session[:80]}")
    return view


def playback(sessions: Conductor, store: PackageStore, contents: LessonContents, session: str) -> Playback:
    """What a player needs for `session`; blocks on the disk and the database.

    Raises:
        SessionUnknown: there is no such session.
    """
    view = known(sessions, session)
    rooms = tuple(
        room_playback(store, PackageId(view.session, room.room), room.role, room.name or room.room)
        for room in view.rooms
        if not room.watching
    )
    return Playback(
        session=view.session,
        title=view.title,
        epoch=view.epoch,
        seconds=view.seconds,
        rooms=rooms,
        chapters=chapters_shown(contents.of(view.session)),
    )
