"""Calendars over HTTP: feeds for whoever has the token, and the tokens themselves for operators."""

import asyncio
import datetime as dt
from collections.abc import Callable, Sequence
from email.utils import format_datetime, parsedate_to_datetime
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from starlette.responses import Response

from hub.api.access import caller, problem
from hub.api.problems import missing, responses
from hub.api.recorders import RecorderState
from hub.api.shapes import Shape
from hub.api.signin import Tries
from hub.door import address_for_devices
from hub.schedule.calendars.addresses import calendar_address, qr_svg, webcal
from hub.schedule.calendars.feed import MEDIA_TYPE, Heading, etag, feed, last_changed
from hub.schedule.calendars.occurrences import Kind
from hub.schedule.calendars.subscriptions import (
    WORDS_MOST,
    CalendarRefused,
    Subscriptions,
    TokenRevoked,
    TokenWrong,
)
from hub.settings import HttpSettings
from hub.store.calendar_tokens import CalendarToken, TokenUnknown
from hub.store.occurrences import OccurrenceRecord

CACHING = "private, no-cache"
"""Kept by whoever subscribes, and asked for anew each time: the answer is short where nothing changed."""
WHO_LETTERS = 63


class NewCalendarToken(BaseModel):
    """A token to be made."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind
    who: Annotated[str, StringConstraints(min_length=1, max_length=WHO_LETTERS)] = Field(
        description="Id of the room, teacher, class or school, as the plan names it."
    )
    words: str = Field("", max_length=WORDS_MOST, description="For whom it is, as people say.")


class CalendarTokenView(Shape):
    """A token as it is listed; it cannot be shown again."""

    id: str = Field(description="By which it is revoked; opens nothing.")
    kind: Kind
    who: str
    words: str
    operator: str = Field(description="Who made it.")
    made: float = Field(description="In seconds of hub UTC.")
    revoked: float | None = Field(None, description="Since when it opens nothing; null while it does.")
    read: float | None = Field(None, description="When the calendar was last read with it, to the minute.")
    recorder: RecorderState | None = Field(
        None, description="What a recorder that signs in with this token said last, since the hub was started."
    )


class MadeCalendarToken(CalendarTokenView):
    """A token, shown this once."""

    token: str
    address: str = Field(description="What a calendar program subscribes to.")
    webcal: str = Field(description="The same, for phones that else would download it once.")
    qr_svg: str = Field(description="The address as a QR code.")


def operator_routes(
    subscriptions: Subscriptions, http: HttpSettings, recorder: Callable[[str], RecorderState | None]
) -> APIRouter:
    """Routes under `/api/v1/plan/calendars`.

    Args:
        subscriptions: the calendars and their tokens.
        http: says how subscribers reach the hub.
        recorder: what the recorder that signs in with a token said last, by the token's id.
    """
    routes = APIRouter(prefix="/api/v1/plan/calendars", tags=["calendars"])

    @routes.post("", summary="Let somebody subscribe to a calendar", status_code=201, responses=responses(404, 422))
    async def make(request: Request, new: NewCalendarToken) -> MadeCalendarToken:
        """Make a token for the calendar of a room, teacher, class or school. It is shown this once."""
        try:
            made = await asyncio.to_thread(subscriptions.make, new.kind, new.who, new.words, caller(request).name)
        except CalendarRefused as refusal:
            raise missing(str(refusal), "see the facts of the plan for who there is") from refusal
        hub = await asyncio.to_thread(address_for_devices, http, str(request.base_url))
        address = calendar_address(hub, made.token)
        shown = _shown(made.record, None).model_dump()
        return MadeCalendarToken(
            **shown, token=made.token, address=address, webcal=webcal(address), qr_svg=qr_svg(address)
        )

    @routes.get("", summary="Who may read which calendar", responses=responses())
    async def listed() -> list[CalendarTokenView]:
        """Every token, revoked ones too, the newest first; the tokens themselves are kept nowhere."""
        return [_shown(one, recorder(one.id)) for one in await asyncio.to_thread(subscriptions.all)]

    @routes.delete("/{token}", summary="Revoke a token", responses=responses(404))
    async def revoke(token: str) -> CalendarTokenView:
        """By its id, as the list has it. Programs that have it are answered 410 from then on."""
        try:
            return _shown(await asyncio.to_thread(subscriptions.revoke, token), recorder(token))
        except TokenUnknown as refusal:
            raise missing(str(refusal), "list them with GET /api/v1/plan/calendars") from refusal

    @routes.get("/{kind}/{who}", summary="A calendar, for operators", response_class=Response, responses=responses(404))
    async def calendar(request: Request, kind: Kind, who: str) -> Response:
        """The same as its subscribers read."""
        try:
            await asyncio.to_thread(subscriptions.expect, kind, who)
        except CalendarRefused as refusal:
            raise missing(str(refusal), "see the facts of the plan for who there is") from refusal
        return await asyncio.to_thread(_answer, request, subscriptions, kind, who)

    return routes


def feed_routes(subscriptions: Subscriptions, tries: Tries) -> APIRouter:
    """The feeds, under `/calendars`; the token in the address is the proof.

    Args:
        subscriptions: the calendars and their tokens.
        tries: bounds how many wrong tokens an address may try. Whoever has a good one never waits: a whole school
            may poll from one address.
    """
    routes = APIRouter(tags=["calendars"])

    answers: dict[int | str, dict[str, Any]] = {
        200: {"content": {"text/calendar": {}}},
        304: {},
        **responses(404, 410, 429),
    }

    # Thunderbird asks with HEAD whether there is a calendar, before it subscribes.
    @routes.head("/calendars/{token}.ics", summary="Whether there is one", response_class=Response, responses=answers)
    @routes.get("/calendars/{token}.ics", summary="A calendar", response_class=Response, responses=answers)
    async def subscribed(request: Request, token: str) -> Response:
        """As iCalendar. `If-None-Match` and `If-Modified-Since` are answered with 304 where nothing changed."""
        address = request.client.host if request.client else ""
        try:
            found = await asyncio.to_thread(subscriptions.opened_by, token)
        except TokenRevoked as refusal:
            return problem(410, str(refusal), "take the calendar out of the program")
        except TokenWrong as refusal:
            wait_s = tries.wait_s(address)
            if wait_s > 0:
                later = {"Retry-After": str(int(wait_s) + 1)}
                return problem(429, "too many wrong tokens from this address", f"try again in {wait_s:.0f} s", later)
            tries.wrong(address)
            return problem(404, str(refusal), "compare the address with the one that was handed out")
        return await asyncio.to_thread(_answer, request, subscriptions, found.kind, found.who)

    return routes


def _answer(request: Request, subscriptions: Subscriptions, kind: Kind, who: str) -> Response:
    heading, lessons = subscriptions.heading(kind, who), subscriptions.lessons(kind, who)
    headers = {"ETag": etag(heading, lessons), "Cache-Control": CACHING}
    changed = last_changed(lessons)
    if changed is not None:
        headers["Last-Modified"] = format_datetime(dt.datetime.fromtimestamp(int(changed), dt.UTC), usegmt=True)
    if unchanged(request, headers["ETag"], changed):
        return Response(None, HTTPStatus.NOT_MODIFIED, headers)
    return _whole(heading, lessons, headers)


def _whole(heading: Heading, lessons: Sequence[OccurrenceRecord], headers: dict[str, str]) -> Response:
    named = {"Content-Disposition": f'inline; filename="{heading.kind}-{heading.who}.ics"'}
    return Response(feed(heading, lessons), 200, {**headers, **named}, MEDIA_TYPE)


def unchanged(request: Request, tag: str, changed: float | None) -> bool:
    """Whether whoever asks has it already; the tag decides where they send one (RFC 9110, 13.2.2)."""
    known = request.headers.get("if-none-match")
    if known is not None:
        return known.strip() == "*" or tag in (one.strip().removeprefix("W/") for one in known.split(","))
    since = request.headers.get("if-modified-since")
    if since is None or changed is None:
        return False
    try:
        return int(changed) <= parsedate_to_datetime(since).timestamp()
    except ValueError:
        return False  # it is no date; then the header counts as not sent


def _shown(token: CalendarToken, recorder: RecorderState | None) -> CalendarTokenView:
    return CalendarTokenView(
        id=token.id,
        kind=token.kind,
        who=token.who,
        words=token.words,
        operator=token.operator,
        made=token.made,
        revoked=token.revoked,
        read=token.read,
        recorder=recorder,
    )
