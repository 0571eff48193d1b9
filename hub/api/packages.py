"""Lesson packages over HTTP: what has arrived, the receipt, and the files to play."""

import asyncio

from fastapi import APIRouter, Request
from starlette.responses import FileResponse

from contract.envelope import Envelope
from hub.api.access import Caller, Who
from hub.api.problems import missing, responses
from hub.api.shapes import PackageStatus
from hub.archive.intake import Intake
from hub.archive.store import PackageId

MEDIA_TYPES = {".mp4": "video/mp4", ".json": "application/json", ".jsonl": "application/x-ndjson"}


def router(intake: Intake) -> APIRouter:
    """Routes under `/api/v1/packages`."""
    routes = APIRouter(prefix="/api/v1/packages", tags=["packages"])

    @routes.get("/{session}/{room}", summary="What has arrived", responses=responses(400))
    async def status(request: Request, session: str, room: str) -> PackageStatus:
        """Files of the package that the hub holds and has verified; the agent uploads the others."""
        package = await _package(intake, request, session, room)
        caller: Caller = request.state.caller
        have = await intake.arrived(caller.name if caller.who is Who.DEVICE else "", package)
        receipt = await asyncio.to_thread(intake.store.receipt, package)
        return PackageStatus(have=have, complete=receipt is not None)

    @routes.get("/{session}/{room}/receipt", summary="The receipt", responses=responses(400, 404))
    async def receipt(request: Request, session: str, room: str) -> Envelope:
        """An envelope signed by the hub, its body a Receipt with every file's size and hash; 404 until complete.

        Only after it, and only where its hashes are the room's own, may the room delete its package.
        """
        found = await intake.receipt(await _package(intake, request, session, room))
        if found is None:
            raise missing("the package is not complete yet", "upload the manifest and every file that it names")
        return found

    @routes.get("/{session}/{room}/files/{name}", summary="One file", responses=responses(400, 404))
    @routes.head("/{session}/{room}/files/{name}", summary="One file's size", responses=responses(400, 404))
    async def file(session: str, room: str, name: str, *, download: bool = False) -> FileResponse:
        """A file of an archived package; `Range` is answered, `?download=true` makes a browser save it."""
        package = PackageId(session, room)
        path = await asyncio.to_thread(intake.store.file, package, name)
        if path is None:
            raise missing(f"the archive holds no {name} of {package}", "see what the lesson's playback lists")
        kind = MEDIA_TYPES.get(path.suffix, "application/octet-stream")
        save_as = f"{session}-{room}-{name}" if download else None
        return FileResponse(path, media_type=kind, filename=save_as)

    return routes


async def _package(intake: Intake, request: Request, session: str, room: str) -> PackageId:
    """The package, where the caller may see it: an operator any, a device its own."""
    package = PackageId(session, room)
    caller: Caller = request.state.caller
    if caller.who is Who.DEVICE:
        await asyncio.to_thread(intake.may_touch, caller.name, package)
    return package
