"""One form for everything that goes wrong: what happened, and what to do."""

import logging
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.exc import DataError, OperationalError
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.responses import Response

from hub.api.access import problem
from hub.archive import refusals
from hub.archive.refusals import ArchiveRefused
from hub.fleet import errors as fleet
from hub.fleet.errors import (
    AuthorityUnusable,
    ClaimRefused,
    CommandRefused,
    DeviceRefused,
    DeviceUnknown,
    TwinChanged,
    TwinRefused,
)
from hub.schedule.desk import errors as desk
from hub.schedule.errors import ScheduleRefused
from hub.schedule.repair import errors as repair
from hub.session import errors
from hub.session.errors import SessionRefused
from hub.store.errors import NoConnectionFree, in_short

log = logging.getLogger(__name__)


class Problem(BaseModel):
    """What every refused request is answered with."""

    model_config = ConfigDict(frozen=True)

    error: str = Field(description="What is wrong, in a sentence.")
    what_to_do: str = Field(description="What to do about it, in a sentence.")


SCHEMAS = "#/components/schemas/"


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The documented refusals of a route; 401 and 403 belong to every one.

    They name the form and do not hold it: FastAPI would make a validator of its own for each of some 400, at each
    start, for answers that are none of its making.
    """
    form = {"application/json": {"schema": {"$ref": SCHEMAS + Problem.__name__}}}
    return {
        status: {"description": HTTPStatus(status).phrase, "content": form} for status in sorted({401, 403, *statuses})
    }


def described(openapi: dict[str, Any]) -> dict[str, Any]:
    """The description of the routes, with the form to which `responses` points."""
    openapi["components"]["schemas"][Problem.__name__] = Problem.model_json_schema(ref_template=SCHEMAS + "{model}")
    return openapi


ARCHIVE_STATUS: dict[type[ArchiveRefused], int] = {
    refusals.Unfit: 400,
    refusals.NotForYou: 403,
    refusals.NotAllowed: 403,
    refusals.WrongHash: 422,
    refusals.AlreadyKept: 409,
    refusals.Gone: 410,
    refusals.Full: 507,
}

CLAIM_STATUS: dict[type[ClaimRefused], int] = {
    fleet.RequestUnfit: 422,
    fleet.CodeUnknown: 403,
    fleet.CodeSpent: 410,
    fleet.ClaimUnfit: 409,
    fleet.ShutOut: 403,
    fleet.TooManyTries: 429,
}

SESSION_ANSWERS: dict[type[SessionRefused], tuple[int, str]] = {
    errors.SessionUnknown: (404, "list the sessions with GET /api/v1/sessions"),
    errors.RoomUnknown: (404, "register a device for the room, or name one of GET /api/v1/devices"),
    errors.RoomBusy: (409, "choose another time, or end the session that holds the room"),
    errors.RolesWrong: (422, "name one lead room, a receiving room unless the mode is open, and each room once"),
    errors.TimeWrong: (422, "give a start and a length that lie ahead"),
    errors.TooLate: (409, "look at the session's state first"),
}

SCHEDULE_ANSWERS: dict[type[ScheduleRefused], tuple[int, str]] = {
    desk.PlanUnknown: (404, "list the plans with GET /api/v1/plan/plans"),
    desk.PlanMoveRefused: (409, "look at the plan's state first"),
    desk.PlanMoved: (409, "look at the plan again, then do it once more"),
    desk.SolveRefused: (409, "look at GET /api/v1/plan/plans/{plan}/solve"),
    desk.NotAgreed: (409, "look at what each school said in GET /api/v1/plan/plans/{plan}"),
    desk.TermUnknown: (422, "import the term, or name weeks that it has"),
    repair.RepairUnknown: (404, "list them with GET /api/v1/plan/replans"),
    repair.RepairRefused: (409, "look at the plans with GET /api/v1/plan/plans, or find the ways out anew"),
}


def add_handlers(app: FastAPI) -> None:
    """Answer every exception of ours in the one form."""
    app.add_exception_handler(ArchiveRefused, _archive)
    app.add_exception_handler(SessionRefused, _session)
    app.add_exception_handler(DeviceRefused, _device)
    app.add_exception_handler(DeviceUnknown, _device_unknown)
    app.add_exception_handler(CommandRefused, _command)
    app.add_exception_handler(TwinRefused, _twin)
    app.add_exception_handler(ClaimRefused, _claim)
    app.add_exception_handler(AuthorityUnusable, _authority)
    app.add_exception_handler(ScheduleRefused, _schedule)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(StarletteHTTPException, _http)
    app.add_exception_handler(DataError, _unstorable)
    app.add_exception_handler(OperationalError, _no_database)
    app.add_exception_handler(NoConnectionFree, _no_database)
    app.add_exception_handler(Exception, _unforeseen)


def missing(what: str, what_to_do: str) -> HTTPException:
    """404 with words."""
    return HTTPException(404, {"error": what, "what_to_do": what_to_do})


def _archive(_request: Request, error: Exception) -> Response:
    refusal = error if isinstance(error, ArchiveRefused) else ArchiveRefused(str(error), "see the hub's log")
    return problem(ARCHIVE_STATUS.get(type(refusal), 400), str(refusal), refusal.what_to_do)


def _session(_request: Request, error: Exception) -> Response:
    status, what_to_do = next(
        (answer for kind, answer in SESSION_ANSWERS.items() if isinstance(error, kind)), (409, "see the hub's log")
    )
    return problem(status, str(error), what_to_do)


def _schedule(_request: Request, error: Exception) -> Response:
    status, what_to_do = next(
        (answer for kind, answer in SCHEDULE_ANSWERS.items() if isinstance(error, kind)),
        (422, "mend what the words name; docs/planning.md describes it"),
    )
    return problem(status, str(error), what_to_do)


def _device(_request: Request, error: Exception) -> Response:
    return problem(409, str(error), "compare with GET /api/v1/devices")


def _device_unknown(_request: Request, error: Exception) -> Response:
    return problem(404, str(error), "list the devices with GET /api/v1/devices")


def _unstorable(_request: Request, error: Exception) -> Response:
    del error  # what PostgreSQL says of a NUL character helps nobody
    return problem(422, "something in this request cannot be kept", "leave out characters that cannot be printed")


def _no_database(_request: Request, error: Exception) -> Response:
    log.error("a request was refused, because the database is in trouble: %s", in_short(error))
    return problem(503, "the hub's database does not answer", "try again soon; tongtang hub check says what is wrong")


def _command(_request: Request, error: Exception) -> Response:
    return problem(422, str(error), "the form of a command is in /api/v1/openapi.json, its names in docs/protocol.md")


def _twin(_request: Request, error: Exception) -> Response:
    if isinstance(error, TwinChanged):
        return problem(409, str(error), "look at it with GET /api/v1/twins/{device}, then try again")
    return problem(422, str(error), "mend the keys named; what can be set from afar is in docs/protocol.md")


def _claim(_request: Request, error: Exception) -> Response:
    refusal = error if isinstance(error, ClaimRefused) else ClaimRefused(str(error), "see the hub's log")
    wait = {"Retry-After": str(error.wait_s)} if isinstance(error, fleet.TooManyTries) else None
    return problem(CLAIM_STATUS.get(type(refusal), 400), str(refusal), refusal.what_to_do, wait)


def _authority(request: Request, error: Exception) -> Response:
    log.error("%s %s: %s", request.method, request.url.path, error)
    return problem(503, str(error), "the hub's operator must mend its certificate authority: tongtang hub check")


def _invalid(_request: Request, error: Exception) -> Response:
    wrong = error.errors() if isinstance(error, RequestValidationError) else []
    lines = (f"{'.'.join(str(step) for step in one['loc'][1:]) or one['loc'][0]}: {one['msg']}" for one in wrong)
    return problem(422, "; ".join(lines), "mend the fields named; their form is in /api/v1/openapi.json")


def _http(_request: Request, error: Exception) -> Response:
    if not isinstance(error, StarletteHTTPException):
        raise error
    headers = dict(error.headers or {})
    if isinstance(error.detail, dict):  # type: ignore[unreachable]  # FastAPI's own exception takes any detail
        return problem(error.status_code, error.detail["error"], error.detail["what_to_do"], headers)  # type: ignore[unreachable]
    return problem(error.status_code, str(error.detail), "see /api/v1/openapi.json for what this route takes", headers)


def _path(request: Request) -> str:
    """The path of a request, as it may stand in a log: a calendar's is a secret."""
    path = request.url.path
    return "/calendars/..." if path.startswith("/calendars/") else path


def _unforeseen(request: Request, error: Exception) -> Response:
    log.error("%s %s failed", request.method, _path(request), exc_info=error)
    return problem(500, "the hub could not do this", "try again; if it stays, the hub's log says why")
