"""Who may come in: every route is named here, and what is not named is refused.

One table says who may use which route, one ASGI middleware holds everybody else off, HTTP and
WebSocket alike, before any other code runs.
"""

import asyncio
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol
from urllib.parse import quote, urlsplit

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketDisconnect


class Who(StrEnum):
    """Who may use a route."""

    ANYONE = "anyone"
    """No sign-in: health, the sign-in page and its files; and whoever shows a claim code or a calendar's token, which
    is proof itself, and at which the route looks."""
    OPERATOR = "operator"
    """The district's staff, with the operator's token or the console's cookie."""
    DEVICE = "device"
    """A registered device, with a token signed by its own key."""
    EITHER = "either"
    """An operator or a device."""
    MONITOR = "monitor"
    """What reads the hub's figures, with the metrics token; an operator may read them, too."""
    SHUT_OUT = "revoked device"
    """A device that was revoked, known by its key; it may use nothing that is not for anyone."""
    STRANGER = "unknown device"
    """A device that this hub's authority certified and its database does not know; it may use as little."""


RULES: Mapping[str, Who] = {
    "GET /healthz": Who.ANYONE,
    "GET /metrics": Who.MONITOR,
    "GET /login": Who.ANYONE,
    "POST /login": Who.ANYONE,
    "GET /static/{name}": Who.ANYONE,
    "POST /logout": Who.OPERATOR,
    "GET /": Who.OPERATOR,
    "GET /overview": Who.OPERATOR,
    "GET /lessons/{session}": Who.OPERATOR,
    "GET /chapters": Who.OPERATOR,
    "GET /lessons/{session}/insight": Who.OPERATOR,
    "GET /lessons/{session}/materials": Who.OPERATOR,
    "GET /lessons/{session}/report": Who.OPERATOR,
    "GET /plan": Who.OPERATOR,
    "POST /plan": Who.OPERATOR,
    "GET /plan/{plan}": Who.OPERATOR,
    "GET /plan/{plan}/requests": Who.OPERATOR,
    "GET /plan/{plan}/progress": Who.OPERATOR,
    "GET /plan/{plan}/repairs": Who.OPERATOR,
    "POST /plan/{plan}/repairs": Who.OPERATOR,
    "GET /plan/{plan}/repairs/{repair}": Who.OPERATOR,
    "POST /plan/{plan}/repairs/{repair}/accept": Who.OPERATOR,
    "POST /plan/{plan}/repairs/{repair}/let-go": Who.OPERATOR,
    "POST /plan/{plan}/{what}": Who.OPERATOR,
    "GET /api/v1/openapi.json": Who.OPERATOR,
    "POST /api/v1/devices": Who.OPERATOR,
    "GET /api/v1/devices": Who.OPERATOR,
    "POST /api/v1/devices/{device}/revoke": Who.OPERATOR,
    "POST /api/v1/enrolments": Who.ANYONE,
    "POST /api/v1/certificates": Who.DEVICE,
    "POST /api/v1/claims": Who.OPERATOR,
    "GET /api/v1/claims": Who.OPERATOR,
    "POST /api/v1/claims/{room}/confirm": Who.OPERATOR,
    "GET /api/v1/alerts": Who.OPERATOR,
    "POST /api/v1/alerts/{alert}/clear": Who.OPERATOR,
    "POST /api/v1/commands": Who.OPERATOR,
    "GET /api/v1/commands": Who.OPERATOR,
    "GET /api/v1/commands/{command}": Who.OPERATOR,
    "GET /api/v1/twins": Who.OPERATOR,
    "GET /api/v1/twins/{device}": Who.OPERATOR,
    "PUT /api/v1/twins/{device}": Who.OPERATOR,
    "POST /api/v1/sessions": Who.OPERATOR,
    "GET /api/v1/sessions": Who.OPERATOR,
    "GET /api/v1/sessions/{session}": Who.OPERATOR,
    "POST /api/v1/sessions/{session}/end": Who.OPERATOR,
    "POST /api/v1/sessions/{session}/cancel": Who.OPERATOR,
    "GET /api/v1/sessions/{session}/playback": Who.OPERATOR,
    "GET /api/v1/sessions/{session}/report": Who.OPERATOR,
    "GET /api/v1/sessions/{session}/chapters": Who.OPERATOR,
    "PUT /api/v1/sessions/{session}/chapters": Who.OPERATOR,
    "DELETE /api/v1/sessions/{session}/chapters": Who.OPERATOR,
    "GET /months": Who.OPERATOR,
    "GET /api/v1/plan/months": Who.OPERATOR,
    "GET /api/v1/plan/months/{month}": Who.OPERATOR,
    "GET /api/v1/plan/months/{month}/{file}": Who.OPERATOR,
    "GET /api/v1/chapters": Who.OPERATOR,
    "GET /api/v1/sessions/{session}/materials": Who.OPERATOR,
    "PUT /api/v1/sessions/{session}/materials/{name}": Who.OPERATOR,
    "DELETE /api/v1/sessions/{session}/materials/{name}": Who.OPERATOR,
    "GET /api/v1/materials/{sha256}": Who.EITHER,
    "POST /api/v1/materials/held": Who.DEVICE,
    "GET /facts": Who.OPERATOR,
    "POST /facts": Who.OPERATOR,
    "GET /facts/templates/{file}": Who.OPERATOR,
    "GET /facts/previews/{dry_run}": Who.OPERATOR,
    "POST /facts/previews/{dry_run}/{what}": Who.OPERATOR,
    "POST /facts/imports/{made}/undo": Who.OPERATOR,
    "GET /facts/wants": Who.OPERATOR,
    "POST /facts/wants/{kind}": Who.OPERATOR,
    "POST /facts/wants/{kind}/{fact}/remove": Who.OPERATOR,
    "GET /calendars": Who.OPERATOR,
    "POST /calendars": Who.OPERATOR,
    "POST /calendars/{token}/revoke": Who.OPERATOR,
    "POST /api/v1/plan/calendars": Who.OPERATOR,
    "GET /api/v1/plan/calendars": Who.OPERATOR,
    "DELETE /api/v1/plan/calendars/{token}": Who.OPERATOR,
    "GET /api/v1/plan/calendars/{kind}/{who}": Who.OPERATOR,
    "GET /calendars/{token}.ics": Who.ANYONE,
    "HEAD /calendars/{token}.ics": Who.ANYONE,
    "GET /services/available.json": Who.ANYONE,
    "GET /recordings/calendars": Who.ANYONE,
    "POST /capture-admin/agents/{agent}": Who.ANYONE,
    "POST /capture-admin/recordings/{recording}": Who.ANYONE,
    "POST /api/v1/plan/imports": Who.OPERATOR,
    "GET /api/v1/plan/imports": Who.OPERATOR,
    "POST /api/v1/plan/imports/{made}/undo": Who.OPERATOR,
    "GET /api/v1/plan/facts": Who.OPERATOR,
    "GET /api/v1/plan/plans": Who.OPERATOR,
    "POST /api/v1/plan/plans": Who.OPERATOR,
    "GET /api/v1/plan/plans/{plan}": Who.OPERATOR,
    "GET /api/v1/plan/plans/{plan}/district": Who.OPERATOR,
    "GET /api/v1/plan/plans/{plan}/file": Who.OPERATOR,
    "PUT /api/v1/plan/plans/{plan}/file": Who.OPERATOR,
    "GET /api/v1/plan/plans/{plan}/requests": Who.OPERATOR,
    "GET /api/v1/plan/plans/{plan}/explanations": Who.OPERATOR,
    "GET /api/v1/plan/plans/{plan}/week": Who.OPERATOR,
    "POST /api/v1/plan/plans/{plan}/edits": Who.OPERATOR,
    "POST /api/v1/plan/plans/{plan}/solve": Who.OPERATOR,
    "GET /api/v1/plan/plans/{plan}/solve": Who.OPERATOR,
    "POST /api/v1/plan/plans/{plan}/stop": Who.OPERATOR,
    "POST /api/v1/plan/plans/{plan}/propose": Who.OPERATOR,
    "POST /api/v1/plan/plans/{plan}/reopen": Who.OPERATOR,
    "POST /api/v1/plan/plans/{plan}/approvals": Who.OPERATOR,
    "POST /api/v1/plan/plans/{plan}/publish": Who.OPERATOR,
    "POST /api/v1/plan/plans/{plan}/withdraw": Who.OPERATOR,
    "POST /api/v1/plan/replans": Who.OPERATOR,
    "GET /api/v1/plan/replans": Who.OPERATOR,
    "GET /api/v1/plan/replans/{repair}": Who.OPERATOR,
    "POST /api/v1/plan/replans/{repair}/accept": Who.OPERATOR,
    "POST /api/v1/plan/replans/{repair}/let-go": Who.OPERATOR,
    "GET /api/v1/packages/{session}/{room}": Who.EITHER,
    "GET /api/v1/packages/{session}/{room}/receipt": Who.EITHER,
    "GET /api/v1/packages/{session}/{room}/files/{name}": Who.OPERATOR,
    "HEAD /api/v1/packages/{session}/{room}/files/{name}": Who.OPERATOR,
    "OPTIONS /api/v1/uploads/": Who.DEVICE,
    "POST /api/v1/uploads": Who.DEVICE,
    "POST /api/v1/uploads/": Who.DEVICE,
    "HEAD /api/v1/uploads/{uuid}": Who.DEVICE,
    "PATCH /api/v1/uploads/{uuid}": Who.DEVICE,
    "DELETE /api/v1/uploads/{uuid}": Who.DEVICE,
    "GET /api/v1/health": Who.OPERATOR,
    "GET /api/v1/devices/{device}/health": Who.OPERATOR,
    "GET /api/v1/telemetry/summary": Who.OPERATOR,
    "GET /api/v1/telemetry/ids": Who.OPERATOR,
    "GET /api/v1/telemetry/rollup": Who.OPERATOR,
    "WS /api/v1/live": Who.OPERATOR,
}
"""The one place: method and path of every route, and who may use it."""

ADMITS: Mapping[Who, frozenset[Who]] = {
    Who.OPERATOR: frozenset({Who.OPERATOR}),
    Who.DEVICE: frozenset({Who.DEVICE}),
    Who.EITHER: frozenset({Who.OPERATOR, Who.DEVICE}),
    Who.MONITOR: frozenset({Who.OPERATOR, Who.MONITOR}),
}
"""Which callers a route lets in, by whom it is for."""

RESTORED = "the hub was restored from a backup made before that device was enrolled"
ENROL_ANEW = (
    "make a new code for its room (tongtang hub enrol), say `tongtang agent enrol CODE --anew` on its machine, "
    "and start the service there again"
)
"""What to do about a device that the hub has forgotten."""

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True)
class Caller:
    """Who is calling: an operator or a device."""

    who: Who
    name: str = ""
    """The operator's name or the device's id."""
    by_cookie: bool = False
    """Whether a browser sent it by itself; then the page must be ours, too."""


def caller(request: HTTPConnection) -> Caller:
    """Who asks, on a route that is not for anyone; the doorkeeper has put it there."""
    found: Caller = request.state.caller
    return found


class SignIns(Protocol):
    """Recognises callers by what they carry."""

    def caller(self, authorization: str | None, cookies: Mapping[str, str]) -> Caller | None:
        """The caller, or None where nothing they carry is good. May block on a database."""


class Doorkeeper:
    """The middleware that denies by default.

    A refused browser is sent to the sign-in page, anything else gets a problem in JSON;
    a refused WebSocket is closed before it opens.
    """

    def __init__(self, app: ASGIApp, sign_ins: SignIns, rules: Mapping[str, Who] = RULES) -> None:
        self._app = app
        self._sign_ins = sign_ins
        self._rules = [_Rule.parse(line, who) for line, who in rules.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request pass, or answer it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        refusal = await self._refusal(scope)
        if refusal is None:
            await self._app(scope, receive, self._while_known(scope, send) if scope["type"] == "websocket" else send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": "not signed in"})
        else:
            await refusal(scope, receive, send)

    def _while_known(self, scope: Scope, send: Send) -> Send:
        """Sends over a WebSocket for as long as its caller is known: one whose token ends hears no more."""
        connection = HTTPConnection(scope)

        async def judged(message: Message) -> None:
            if message["type"] == "websocket.send" and await self._caller(connection) != caller(connection):
                await send({"type": "websocket.close", "code": 1008, "reason": "no longer signed in"})
                raise WebSocketDisconnect(1008)
            await send(message)

        return judged

    async def _caller(self, connection: HTTPConnection) -> Caller | None:
        authorization = connection.headers.get("authorization")
        return await asyncio.to_thread(self._sign_ins.caller, authorization, connection.cookies)

    async def _refusal(self, scope: Scope) -> Response | None:
        connection = HTTPConnection(scope)
        method = "WS" if scope["type"] == "websocket" else scope["method"]
        if "x-http-method-override" in connection.headers:
            return problem(400, "method overrides are not taken", "send the request with its own method")
        who = next((rule.who for rule in self._rules if rule.fits(method, scope["path"])), None)
        if who is Who.ANYONE:
            return None if method in SAFE_METHODS or same_page(connection.headers) else _foreign_page()
        asking = await self._caller(connection)
        if asking is None:
            return _sign_in_first(connection, method)
        scope.setdefault("state", {})["caller"] = asking
        return _judge(asking, who, method, connection.headers)


def _judge(caller: Caller, who: Who | None, method: str, headers: Headers) -> Response | None:
    """Refuse a caller whom we know but who may not do this."""
    if caller.who is Who.SHUT_OUT:
        words = f"device {caller.name} was revoked"
        return problem(403, words, "enrol the machine anew, with a new claim code and a new key")
    if caller.who is Who.STRANGER:
        return problem(403, f"device {caller.name} is not known to this hub: {RESTORED}", ENROL_ANEW)
    if who is None:
        return problem(404, "there is nothing here", "see /api/v1/openapi.json for what there is")
    if caller.who not in ADMITS[who]:
        return problem(403, f"this is not for a caller of the kind {caller.who}", f"only for: {who}")
    if caller.by_cookie and method not in SAFE_METHODS and not same_page(headers, needed=True):
        return _foreign_page()
    return None


@dataclass(frozen=True)
class _Rule:
    method: str
    path: re.Pattern[str]
    who: Who

    @classmethod
    def parse(cls, line: str, who: Who) -> "_Rule":
        method, path = line.split(" ", 1)
        pattern = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))
        return cls(method, re.compile(pattern), who)

    def fits(self, method: str, path: str) -> bool:
        return self.method == method and self.path.fullmatch(path) is not None


def same_page(headers: Headers, *, needed: bool = False) -> bool:
    """Whether the page that sends is ours; browsers name it in Origin, others send none.

    Args:
        headers: of the request.
        needed: a missing Origin counts as foreign.
    """
    origin = headers.get("origin")
    if origin is None:
        return not needed
    return bool(urlsplit(origin).netloc) and urlsplit(origin).netloc == headers.get("host")


def problem(status: int, words: str, what_to_do: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """An answer that says what is wrong and what to do."""
    return JSONResponse({"error": words, "what_to_do": what_to_do}, status, dict(headers or {}))


def open_rules(rules: Mapping[str, Who] = RULES) -> Iterable[str]:
    """The allow-list."""
    return (line for line, who in rules.items() if who is Who.ANYONE)


def _foreign_page() -> Response:
    return problem(403, "the request comes from a page of another site", "use the hub's own console")


def _sign_in_first(connection: HTTPConnection, method: str) -> Response:
    wants_page = method == "GET" and "text/html" in connection.headers.get("accept", "")
    if wants_page and not connection.url.path.startswith("/api/"):
        there = quote(connection.url.path, safe="/")
        return RedirectResponse(f"/login?next={there}", 303)
    return problem(
        401,
        "not signed in, or the token is wrong or too old",
        "send Authorization: Bearer with the operator's token or a fresh device token",
        {"WWW-Authenticate": "Bearer"},
    )
