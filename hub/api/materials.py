"""Materials over HTTP: operators attach files to a session, its rooms fetch them before it begins."""

import asyncio
import unicodedata
from typing import Annotated

from fastapi import APIRouter, Path, Request
from pydantic import TypeAdapter, ValidationError
from starlette.responses import FileResponse, Response

from contract.material import MaterialHeld, MaterialName
from hub.api.access import Caller, Who
from hub.api.problems import missing, responses
from hub.archive.refusals import Unfit
from hub.session.materials import Materials, MaterialView

NAME = TypeAdapter[str](MaterialName)
PIECE_BYTES = 1 << 20
"""Written at once."""


def router(materials: Materials, most_bytes: int) -> APIRouter:
    """Routes of operators and of rooms.

    Args:
        materials: keeps them.
        most_bytes: what one file may have.
    """
    routes = APIRouter(prefix="/api/v1", tags=["materials"])

    @routes.get("/sessions/{session}/materials", summary="The files of a session", responses=responses(404))
    async def listed(session: str) -> list[MaterialView]:
        """Each file, and which rooms hold it."""
        return await asyncio.to_thread(materials.of, session)

    @routes.put(
        "/sessions/{session}/materials/{name}",
        summary="Attach a file",
        status_code=201,
        responses=responses(400, 404, 409, 507),
        openapi_extra={"requestBody": {"content": {"application/octet-stream": {}}, "required": True}},
    )
    async def attach(request: Request, session: str, name: str) -> list[MaterialView]:
        """The body is the file; one of the same name is replaced.

        Every room of the session fetches it when no lesson needs its link, and looks at its hash.
        """
        named = _named(name)
        caller: Caller = request.state.caller
        arriving = await asyncio.to_thread(materials.folder.begin, named, most_bytes)
        try:
            piece = bytearray()
            async for chunk in request.stream():
                piece += chunk
                if len(piece) >= PIECE_BYTES:
                    await asyncio.to_thread(arriving.take, bytes(piece))
                    piece.clear()
            await asyncio.to_thread(arriving.take, bytes(piece))
            material = await asyncio.to_thread(arriving.finish)
        finally:
            await asyncio.to_thread(arriving.give_up)
        return await asyncio.to_thread(materials.add, session, material, caller.name)

    @routes.delete(
        "/sessions/{session}/materials/{name}", summary="Take a file out", responses=responses(400, 404, 409)
    )
    async def take_out(session: str, name: str) -> list[MaterialView]:
        """Rooms that hold it forget it with their next look."""
        return await asyncio.to_thread(materials.drop, session, _named(name))

    @routes.get("/materials/{sha256}", summary="One file", responses=responses(403, 404))
    async def fetch(request: Request, sha256: Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]) -> FileResponse:
        """A file by its hash, for operators and for devices of sessions that have it; `Range` is answered."""
        caller: Caller = request.state.caller
        device = caller.name if caller.who is Who.DEVICE else ""
        path = await asyncio.to_thread(materials.file, sha256, device)
        if path is None:
            raise missing("the hub has no such file", "attach it to the session anew")
        return FileResponse(path, media_type="application/octet-stream")

    @routes.post(
        "/materials/held", summary="Say that a room holds a file", status_code=204, responses=responses(403, 404)
    )
    async def held(request: Request, one: MaterialHeld) -> Response:
        """Said by a device once the file is on its disk and its hash is right."""
        caller: Caller = request.state.caller
        await asyncio.to_thread(materials.held, caller.name, one)
        return Response(status_code=204)

    return routes


def _named(name: str) -> str:
    try:
        return NAME.validate_python(unicodedata.normalize("NFC", name))
    except ValidationError as error:
        raise Unfit(
            f"{name[:80]!r} cannot be a file's name",
            "take at most 64 signs that can be seen, none of them a slash, a colon, a quotation mark or another that "
            "systems reserve, with no space or dot at either end",
        ) from error
