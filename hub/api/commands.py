"""Commands over HTTP: send one to some devices, see what came of it."""

import asyncio
import json
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import Field

from contract.model import DeviceId
from hub.api.access import caller
from hub.api.problems import missing, responses
from hub.api.shapes import Shape
from hub.fleet.commands import Commands, Wanted
from hub.store.commands import CommandRecord, CommandState

DEVICES_MAX = 20_000
LISTED_MAX = 20_000


class CommandIn(Shape):
    """A command, and for whom: `devices`, a `school`, or `all`."""

    devices: tuple[DeviceId, ...] = Field((), max_length=DEVICES_MAX)
    school: str = Field("", max_length=100, description="Every device of this school.")
    all: bool = Field(False, description="Every device.")
    name: str = Field(max_length=64, description="`ping`, `health`, `restart`, `identify`, `renew-certificate`, `log`.")
    arguments: dict[str, Any] = Field(default_factory=dict)
    valid_s: float = Field(60.0, ge=1, le=86_400, description="No device begins with it later than this, in seconds.")


class CommandRef(Shape):
    """A command to one device."""

    id: str
    device: DeviceId


class CommandsOut(Shape):
    """Commands that are on their way."""

    issued: float = Field(description="When they were signed, in seconds of hub UTC.")
    expires: float = Field(description="When no device begins with them any more.")
    commands: tuple[CommandRef, ...]


class CommandView(Shape):
    """A command to one device, and what came of it."""

    id: str
    device: DeviceId
    name: str
    operator: str = Field(description="Who asked for it.")
    issued: float
    expires: float
    state: CommandState = Field(
        description="`sent` until it is answered, then `done`, `failed`, `refused`, `interrupted` or `expired`."
    )
    words: str
    data: dict[str, Any] = Field(description="What the device answered.")
    finished: float | None


def shown(command: CommandRecord) -> CommandView:
    """A command as the API shows it."""
    return CommandView(
        id=command.id,
        device=command.device,
        name=command.name,
        operator=command.operator,
        issued=command.issued,
        expires=command.expires,
        state=command.state,
        words=command.words,
        data=json.loads(command.result)["data"] if command.result else {},
        finished=command.finished,
    )


def router(commands: Commands) -> APIRouter:
    """Routes under `/api/v1/commands`."""
    routes = APIRouter(prefix="/api/v1/commands", tags=["commands"])

    @routes.post("", summary="Send a command", status_code=202, responses=responses(404, 409, 422))
    async def send(request: Request, new: CommandIn) -> CommandsOut:
        """Sign a command for each device and send it; devices that are away get it when they are back in time.

        Each device acts on it at most once and never after it has expired.
        """
        wanted = Wanted(new.name, new.arguments, new.devices, new.school, new.all, new.valid_s)
        made = await asyncio.to_thread(commands.issue, wanted, caller(request).name)
        refs = tuple(CommandRef(id=one.id, device=one.device) for one in made)
        return CommandsOut(issued=made[0].issued, expires=made[0].expires, commands=refs)

    @routes.get("", summary="Commands and what came of them", responses=responses(422))
    async def listed(
        device: Annotated[DeviceId | None, Query(description="Only those to this device.")] = None,
        state: Annotated[CommandState | None, Query(description="Only those that stand there.")] = None,
        since: Annotated[float | None, Query(description="Only those issued then or later, in s of hub UTC.")] = None,
        limit: Annotated[int, Query(ge=1, le=LISTED_MAX, description="At most so many.")] = 200,
    ) -> list[CommandView]:
        """The newest commands, newest first."""
        return await asyncio.to_thread(_listed, commands, device, state, since, limit)

    @routes.get("/{command}", summary="One command", responses=responses(404))
    async def one(command: str) -> CommandView:
        """A command with its state, and what the device answered."""
        known = await asyncio.to_thread(commands.get, command)
        if known is None:
            raise missing(f"there is no command {command[:80]}", "list the commands with GET /api/v1/commands")
        return shown(known)

    return routes


def _listed(
    commands: Commands, device: str | None, state: CommandState | None, since: float | None, limit: int
) -> list[CommandView]:
    return [shown(one) for one in commands.find(device, state, since, limit)]
