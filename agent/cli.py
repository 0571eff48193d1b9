"""`tongtang agent ...`: one classroom."""

import asyncio
import contextlib
import json
import logging
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from agent.capture.sources import SourceRefused, parse_source
from agent.checks.line import Verdict
from agent.identity import IdentityRefused, enrol, hub_trust, load_identity
from agent.settings import AgentSettings, load_settings
from contract.settings import SettingsRefused

log = logging.getLogger(__name__)

app = typer.Typer(
    no_args_is_help=True,
    help="""One classroom: the service that captures, streams, records, observes and reports.

    On a new machine: `sources`, `install`, `enrol`, `check`, in this order.""",
)

ConfigOption = Annotated[Path, typer.Option("--config", "-c", help="The agent's settings (agent.toml).")]
JsonOption = Annotated[bool, typer.Option("--json", help="For programs.")]
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
        hub_trust(settings.hub.ca)
    except (IdentityRefused, SourceRefused) as error:
        raise _refused(str(error)) from error

    async def serve() -> None:
        await AgentService(identity, settings, spec).run()

    asyncio.run(serve())


@app.command("enrol")
def enrol_device(
    code: Annotated[str, typer.Argument(help="An operator's token of the hub.")],
    config: ConfigOption = DEFAULT_CONFIG,
    hub: Annotated[
        str, typer.Option(help="Address of the hub, such as http://10.0.0.2:8080; default: from the settings.")
    ] = "",
    device: Annotated[str, typer.Option(help="Identifier of this device; default: from the settings.")] = "",
    room: Annotated[str, typer.Option(help="Identifier of the room it stands in; default: from the settings.")] = "",
    name: Annotated[str, typer.Option(help="Name of the room for people; default: from the settings.")] = "",
    school: Annotated[str, typer.Option(help="School of the room; default: from the settings.")] = "",
) -> None:
    """Make this machine known to a hub. Its key is made here and never leaves the machine.

    Example:
      tongtang agent enrol TOKEN --hub http://10.0.0.2:8080 --device shiqiao-3-screen --room shiqiao-3
    """
    settings = _settings(config)
    own = settings.agent
    chosen_device, chosen_room = device or own.device or "", room or own.room or ""
    if not chosen_device or not chosen_room:
        raise _refused("say which device and room this is: --device and --room, or in the settings")
    try:
        called = (name or own.name, school or own.school)
        done = enrol(own.state, hub or settings.hub.url, code, chosen_device, chosen_room, *called, ca=settings.hub.ca)
    except IdentityRefused as error:
        raise _refused(str(error)) from error
    typer.echo(f"enrolled as {done.device} in room {done.room} of {done.hub_url}")


@app.command()
def sources(*, as_json: JsonOption = False) -> None:
    """List what this machine can see and hear with, as source strings to paste into the settings.

    No camera and no microphone is opened: a lesson that is running is not disturbed.
    """
    from agent.capture.sources import list_sources  # noqa: PLC0415 - loads the media libraries

    lines = list_sources()
    if as_json:
        typer.echo(json.dumps([asdict(line) for line in lines], ensure_ascii=False, indent=1))
        return
    width = max(len(line.source) for line in lines)
    for line in lines:
        mark = "✓" if line.usable else "✗"
        typer.echo(f"{mark} {line.source:<{width}}  {line.name} ({line.gives}){': ' if line.words else ''}{line.words}")


@app.command()
def check(config: ConfigOption = DEFAULT_CONFIG, *, as_json: JsonOption = False) -> None:
    """Say in one line each what keeps this machine from a lesson, and what to do.

    Looks at devices, models, the hub, disk, clock and the volume's encryption. Exit code 1 where
    something is bad; warnings do not count.
    """
    from agent.checks import run_checks  # noqa: PLC0415 - loads the media libraries

    settings = _settings(config)
    identity = None
    with contextlib.suppress(IdentityRefused):  # one of the checks says so
        identity = load_identity(settings.state)
    lines = run_checks(settings, identity)
    if as_json:
        typer.echo(json.dumps([line.as_json() for line in lines], ensure_ascii=False, indent=1))
    else:
        for line in lines:
            typer.echo(str(line))
    raise typer.Exit(int(any(line.verdict is Verdict.BAD for line in lines)))


@app.command("install")
def install_service(
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
) -> None:
    """Put the service in place on a machine with systemd: unit, settings and account; needs root.

    Settings that are there already are kept.
    """
    from agent.install import InstallRefused, install  # noqa: PLC0415 - of use once in a machine's life

    try:
        done = install(dry_run=dry_run)
    except InstallRefused as error:
        raise _refused(str(error)) from error
    if dry_run:
        typer.echo("nothing is done now; without --dry-run:")
    for line in done.did:
        typer.echo(f"  {line}" if dry_run else line)
    typer.echo("next:")
    for line in done.next:
        typer.echo(f"  {line}")


def _settings(config: Path) -> AgentSettings:
    if not config.exists():
        todo = "`tongtang agent install` puts one in place; or name another: --config FILE"
        raise _refused(f"there is no settings file {config}; {todo}")
    try:
        return load_settings(config)
    except SettingsRefused as error:
        raise _refused(str(error)) from error


def _refused(words: str) -> typer.Exit:
    typer.echo(words, err=True)
    return typer.Exit(2)
