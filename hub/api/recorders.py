"""The few routes of Opencast that a capture agent needs to take part: registry, calendar, and what it says of itself.

A recorder signs in with HTTP Basic; its password is the calendar token of its room, its agent's name the room's id.
Digest is not offered: the hub would have to keep the token itself. Nor is `org.opencastproject.ingest`: what such a
recorder keeps stays with it.

Source: Opencast's guide for capture agents.
"""

import asyncio
import base64
import hashlib
from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Form, HTTPException, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import PlainTextResponse, Response

from hub.api.problems import missing, responses
from hub.api.signin import Tries
from hub.door import address_for_devices
from hub.schedule.calendars.feed import MEDIA_TYPE
from hub.schedule.calendars.occurrences import Kind
from hub.schedule.calendars.recorder import recorder_calendar
from hub.schedule.calendars.subscriptions import CalendarRefused, Subscriptions
from hub.settings import HttpSettings
from hub.store.calendar_tokens import CalendarToken

SERVICES = {"org.opencastproject.scheduler": "/recordings", "org.opencastproject.capture.admin": "/capture-admin"}
"""What the registry names, and where it is."""
STATE_LETTERS = 64
SIGN_IN = {"WWW-Authenticate": 'Basic realm="tongtang", charset="UTF-8"'}
LATEST_MS = 253_402_300_800_000
"""The end of the year 9999, in milliseconds of UTC."""
Cutoff = Annotated[int, Query(ge=0, le=LATEST_MS)]
SaidState = Annotated[str, Form(min_length=1, max_length=STATE_LETTERS, pattern="^[a-z_]+$")]


class RecorderState(BaseModel):
    """What a recorder said of itself."""

    model_config = ConfigDict(frozen=True)

    state: str = Field(description="As Opencast names them: idle, capturing, uploading, offline, error ...")
    at: float = Field(description="When it said so, in seconds of hub UTC.")
    recording: str = Field("", description="The lesson whose recording it spoke of last.")
    recording_state: str = Field("", description="And how that stands: capturing, capture_finished, capture_error ...")


class Recorders:
    """What recorders said last, by the id of their token; kept in memory only, one a token."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._said: dict[str, RecorderState] = {}

    def of(self, token_id: str) -> RecorderState | None:
        """What the one that signs in with this token said last; None where it never did."""
        return self._said.get(token_id)

    def said(self, token_id: str, state: str) -> None:
        """A recorder tells its state."""
        before = self._said.get(token_id) or RecorderState(state=state, at=0.0)
        self._said[token_id] = before.model_copy(update={"state": state, "at": self._now()})

    def said_of(self, token_id: str, recording: str, state: str) -> None:
        """A recorder tells how a recording stands."""
        before = self._said.get(token_id) or RecorderState(state="unknown", at=0.0)
        told = {"recording": recording, "recording_state": state, "at": self._now()}
        self._said[token_id] = before.model_copy(update=told)


class _Door:
    """Lets recorders in."""

    def __init__(self, subscriptions: Subscriptions, tries: Tries) -> None:
        self._subscriptions = subscriptions
        self._tries = tries

    async def recorder(self, request: Request) -> CalendarToken:
        """The token of the room for which somebody asks.

        Raises:
            HTTPException: they show none, or one that opens no room.
        """
        address = request.client.host if request.client else ""
        token = _password(request.headers.get("authorization", ""))
        if token is None:
            raise _refused(
                "sign in with HTTP Basic; Digest is not offered", "the password is the room's calendar token"
            )
        try:
            found = await asyncio.to_thread(self._subscriptions.opened_by, token)
        except CalendarRefused as refusal:
            if (wait_s := self._tries.wait_s(address)) > 0:
                told = {"error": "too many wrong tokens from this address", "what_to_do": f"try in {wait_s:.0f} s"}
                raise HTTPException(429, told, {"Retry-After": str(int(wait_s) + 1)}) from refusal
            self._tries.wrong(address)
            raise _refused(
                "this token opens no calendar", "make one: tongtang plan calendar token room ID"
            ) from refusal
        if found.kind is not Kind.ROOM:
            raise _refused(f"this is the token of a {found.kind}", "a recorder needs one of its room")
        return found

    async def agent(self, request: Request, name: str) -> CalendarToken:
        """As `recorder`, where the agent's name must be the room's.

        Raises:
            HTTPException: it is not; the words say which it is.
        """
        found = await self.recorder(request)
        if found.who != name:
            told = {"error": f"this token is of room {found.who}, not of {name}", "what_to_do": "name the agent so"}
            raise HTTPException(403, told)
        return found


def recorder_routes(
    subscriptions: Subscriptions, recorders: Recorders, tries: Tries, http: HttpSettings, now: Callable[[], float]
) -> APIRouter:
    """The routes, at the addresses that Opencast has them.

    Args:
        subscriptions: the calendars and their tokens.
        recorders: what recorders said.
        tries: bounds how many wrong tokens an address may try.
        http: says how recorders reach the hub.
        now: seconds of hub UTC.
    """
    routes = APIRouter(tags=["recorders"])
    door = _Door(subscriptions, tries)

    @routes.get("/services/available.json", summary="Where a recorder finds what", responses=responses(404, 429))
    async def services(request: Request, serviceType: str) -> dict[str, object]:  # noqa: N803  Opencast's name
        """Opencast's registry, for the scheduler and for capture-admin."""
        await door.recorder(request)
        path = SERVICES.get(serviceType)
        if path is None:
            raise missing(f"{serviceType} is not offered here", f"there is: {', '.join(SERVICES)}")
        host = await asyncio.to_thread(address_for_devices, http, str(request.base_url))
        up = {"active": True, "online": True, "maintenance": False, "jobproducer": False}
        return {"services": {"service": {"type": serviceType, "host": host, "path": path, **up}}}

    @routes.get(
        "/recordings/calendars",
        summary="What a recorder is to record",
        response_class=Response,
        responses={200: {"content": {"text/calendar": {}}}, 304: {}, **responses(429)},
    )
    async def calendar(request: Request, agentid: str, cutoff: Cutoff | None = None) -> Response:
        """As iCalendar, in the form that Opencast writes. `cutoff`, in ms of UTC, leaves out what begins later."""
        await door.agent(request, agentid)
        until = cutoff / 1000.0 if cutoff is not None else None

        def body() -> bytes:
            lessons = subscriptions.lessons(Kind.ROOM, agentid)
            return recorder_calendar(agentid, lessons, now(), subscriptions.language, until)

        made = await asyncio.to_thread(body)
        tag = f'"{hashlib.sha256(made).hexdigest()[:32]}"'
        headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
        if tag in request.headers.get("if-none-match", ""):
            return Response(None, 304, headers)
        return Response(made, 200, headers, MEDIA_TYPE)

    @routes.post("/capture-admin/agents/{agent}", summary="A recorder says how it is", responses=responses(422, 429))
    async def agent_state(request: Request, agent: str, state: SaidState) -> PlainTextResponse:
        """Shown beside its token in the list of calendars."""
        found = await door.agent(request, agent)
        recorders.said(found.id, state)
        return PlainTextResponse(f"{agent} set to {state}")

    @routes.post(
        "/capture-admin/recordings/{recording}", summary="How a recording stands", responses=responses(422, 429)
    )
    async def recording_state(request: Request, recording: str, state: SaidState) -> PlainTextResponse:
        """Of a lesson, by the UID that the calendar gave it."""
        found = await door.recorder(request)
        recorders.said_of(found.id, recording[:STATE_LETTERS], state)
        return PlainTextResponse(f"{recording} set to {state}")

    return routes


def _password(authorization: str) -> str | None:
    """The password of HTTP Basic; None where the header is another."""
    scheme, _, rest = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        _, colon, password = base64.b64decode(rest.strip(), validate=True).decode().partition(":")
    except ValueError:
        return None
    return password if colon else None


def _refused(words: str, what_to_do: str) -> HTTPException:
    return HTTPException(401, {"error": words, "what_to_do": what_to_do}, SIGN_IN)
