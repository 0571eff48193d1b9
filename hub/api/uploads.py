"""Resumable uploads of lesson packages: tuspyserver's routes, held to our rules."""

import secrets
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.routing import APIRoute
from tuspyserver import create_tus_router

from hub.api.access import Caller
from hub.api.problems import responses
from hub.archive.intake import Intake
from hub.archive.uploads import new_uid, owner

PREFIX = "/api/v1/uploads"
LARGEST_BYTES = 64 << 30
"""A day of lessons at 5 Mbit/s; anything larger is a mistake."""
DAYS_KEPT = 7

TOLD: Mapping[str, tuple[str, str]] = {
    "POST": (
        "Begin an upload",
        (
            "tus 1.0 creation. `Upload-Metadata` names filename, filetype, session, room and sha256; "
            "what would be refused at its end is refused here."
        ),
    ),
    "HEAD": ("How far an upload is", "tus 1.0: `Upload-Offset` tells where to go on."),
    "PATCH": (
        "Send the next bytes",
        (
            "tus 1.0. With the last byte the file is verified; a wrong hash is refused and the upload removed. "
            "When the manifest and all its files are there, the package is archived and gets its receipt."
        ),
    ),
    "DELETE": ("Give an upload up", "tus 1.0 termination: what was sent so far is removed."),
    "OPTIONS": ("What the server can do", "tus 1.0: versions, extensions and the largest size."),
}


def router(intake: Intake) -> APIRouter:
    """The tus routes. Their guard runs before tuspyserver reads a body (its own `auth` runs after that)."""

    async def guard(request: Request) -> Callable[[Mapping[str, str]], dict[str, str]]:
        caller: Caller = request.state.caller
        _refuse_extras(request)
        uid = request.path_params.get("uuid")
        if uid is not None and owner(uid) != caller.name:
            raise _refused(404, "there is no such upload of this device", "create the upload anew")
        return lambda _metadata: {"uid": new_uid(caller.name, secrets.token_hex(16))}

    async def announced(request: Request) -> Callable[[dict[str, str], dict[str, Any]], Awaitable[None]]:
        caller: Caller = request.state.caller

        async def announce(metadata: dict[str, str], about: dict[str, Any]) -> None:
            await intake.announce(caller.name, metadata, about["size"])

        return announce

    async def completed() -> Callable[[str, dict[str, str]], Awaitable[None]]:
        async def complete(path: str, metadata: dict[str, str]) -> None:
            await intake.uploaded(Path(path).name, metadata)

        return complete

    made: APIRouter = create_tus_router(
        prefix=PREFIX,
        files_dir=str(intake.uploads.folder),
        max_size=LARGEST_BYTES,
        days_to_keep=DAYS_KEPT,
        upload_complete_dep=completed,
        pre_create_dep=announced,
        file_dep=guard,
        tags=["uploads"],
        strict_offset_validation=True,
        storage=intake.uploads,
    )
    for route in made.routes:
        if isinstance(route, APIRoute):
            _tell(route)
    return made


def _tell(route: APIRoute) -> None:
    route.summary, route.description = TOLD[next(iter(route.methods or {"POST"}))]
    route.responses = responses(400, 404, 409, 410, 412, 413, 422, 507)


def _refuse_extras(request: Request) -> None:
    """Refuse what tuspyserver offers and we do not: joining uploads, unknown lengths, a body with the creation."""
    if "upload-concat" in request.headers or "upload-defer-length" in request.headers:
        raise _refused(400, "uploads are not joined and must tell their length", "send one upload a file")
    if request.method == "POST" and request.headers.get("content-length", "0") != "0":
        raise _refused(400, "an upload begins without bytes", "send the bytes with PATCH")


def _refused(status: int, words: str, what_to_do: str) -> HTTPException:
    return HTTPException(status, {"error": words, "what_to_do": what_to_do})
