"""`tongtang agent ...`: one classroom."""

import asyncio
import json
import logging
from pathlib import Path
from typing import Annotated

import typer

from agent.capture.sources import SourceRefused, parse_source
from agent.identity import IdentityRefused, enrol, load_identity
from agent.settings import AgentSettings, load_settings
from contract.settings import SettingsRefused

log = logging.getLogger(__name__)

app = typer.Typer(
    no_args_is_help=True,
    help="""One classroom: the service that captures, streams, records, observes and reports.

    On a new machine: `check`, `sources`, `enrol`, `install`, in this order.""",
)

ConfigOption = Annotated[Path, typer.Option("--config", "-c", help="The agent's settings (agent.toml).")]
DEFAULT_CONFIG = Path("/etc/tongtang/agent.toml")


@app.command()
def run(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Run the service in the foreground, as the classroom machine's service manager does.

    Keeps trying where the hub is not in reach, and holds the lessons whose orders it has on time all the same.
    SIGTERM ends it; a lesson that is live then goes on with its next start.

    Example:
      tongtang agent run --config /etc/tongtang/agent.toml
    """
    from agent.service import AgentService  # noqa: PLC0415 - loads the media libraries, which other commands do not need

    settings = _settings(config)
    try:
        identity = load_identity(settings.state)
        spec = parse_source(settings.sources.source)
    except (IdentityRefused, SourceRefused) as error:
        raise _refused(str(error)) from error

    async def serve() -> None:
        await AgentService(identity, settings, spec).run()

    asyncio.run(serve())


@app.command("enrol")
def enrol_device(
    code: Annotated[str, typer.Argument(help="An operator's token of the hub.")],
    hub: Annotated[str, typer.Option(help="Address of the hub, such as http://10.0.0.2:8080.")],
    config: ConfigOption = DEFAULT_CONFIG,
    device: Annotated[str, typer.Option(help="Identifier of this device; default: from the settings.")] = "",
    room: Annotated[str, typer.Option(help="Identifier of the room it stands in; default: from the settings.")] = "",
    name: Annotated[str, typer.Option(help="Name of the room for people; default: from the settings.")] = "",
    school: Annotated[str, typer.Option(help="School of the room; default: from the settings.")] = "",
) -> None:
    """Make this machine known to a hub. Its key is made here and never leaves the machine.

    Example:
      tongtang agent enrol TOKEN --hub http://10.0.0.2:8080 --device shiqiao-3-screen --room shiqiao-3
    """
    own = _settings(config).agent
    chosen_device, chosen_room = device or own.device or "", room or own.room or ""
    if not chosen_device or not chosen_room:
        raise _refused("say which device and room this is: --device and --room, or in the settings")
    try:
        done = enrol(own.state, hub, code, chosen_device, chosen_room, name or own.name, school or own.school)
    except IdentityRefused as error:
        raise _refused(str(error)) from error
    typer.echo(f"enrolled as {done.device} in room {done.room} of {done.hub_url}")


@app.command()
def sources(*, as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False) -> None:
    """List what this machine can see and hear with, as source strings to paste into the settings."""
    from agent.capture.sources import list_sources  # noqa: PLC0415 - loads the media libraries

    lines = list_sources()
    if as_json:
        typer.echo(json.dumps([line.as_json() for line in lines], ensure_ascii=False, indent=1))
        return
    width = max(len(line.source) for line in lines)
    for line in lines:
        typer.echo(f"{line.source:<{width}}  {line.words}")


def _settings(config: Path) -> AgentSettings:
    try:
        return load_settings(config)
    except SettingsRefused as error:
        raise _refused(str(error)) from error


def _refused(words: str) -> typer.Exit:
    typer.echo(words, err=True)
    return typer.Exit(2)
