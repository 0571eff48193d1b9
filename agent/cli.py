"""`tongtang agent ...`: one classroom."""

import asyncio
import contextlib
import json
import logging
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from filelock import FileLock, Timeout

from agent.capture.sources import SourceRefused, parse_source
from agent.checks.line import Verdict
from agent.enrolment import enrol, read_typed
from agent.identity import Identity, IdentityRefused, load_identity
from agent.recentlog import RecentLog
from agent.registration import register
from agent.report.journal import JournalUnusable
from agent.settings import AgentSettings, load_settings
from agent.trust import hub_trust
from agent.twin import TWIN, Twin
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
LOCK = "agent.lock"
"""In the state folder: one agent at a time."""


@app.command()
def run(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Run the service in the foreground, as the classroom machine's service manager does.

    Keeps trying where the hub is not in reach, and holds the lessons whose orders it has on time all the same.
    SIGTERM ends it; a lesson that is live then goes on with its next start.

    Example:
      tongtang agent run --config /etc/tongtang/agent.toml
    """
    recent = RecentLog()
    logging.getLogger().addHandler(recent)
    own = _settings(config)
    twin = Twin(own.state / TWIN, own)
    with _held(own.state), _told():
        while _served(twin.begin(), twin, recent):
            log.info("the service starts anew")


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """What keeps the service from starting is told in words."""
    try:
        yield
    except (IdentityRefused, SourceRefused, JournalUnusable) as error:
        raise _refused(str(error)) from error


@contextlib.contextmanager
def _held(state: Path) -> Iterator[None]:
    """The state folder for this process alone: two agents on one would take each other's numbers and connection."""
    if not state.is_dir():
        yield  # it is not enrolled, which is told by and by
        return
    try:
        lock = FileLock(state / LOCK).acquire(timeout=0)
    except Timeout as error:
        words = f"{state} is in use by another agent; stop it first (systemctl stop tongtang-agent)"
        raise _refused(words) from error
    except OSError as error:
        raise _refused(f"the state folder {state} cannot be used: {error.strerror}") from error
    with lock:
        yield


def _served(settings: AgentSettings, twin: Twin, recent: RecentLog) -> bool:
    """One life of the service; whether another one is to follow."""
    from agent.service import AgentService  # noqa: PLC0415 - loads the media libraries, which other commands do not need

    identity = load_identity(settings.state)
    spec = parse_source(settings.sources.source)
    hub_trust(settings.hub.ca)

    async def serve() -> bool:
        return await AgentService(identity, settings, spec, twin, recent).run()

    return asyncio.run(serve())


@app.command("enrol")
def enrol_device(
    code: Annotated[
        list[str], typer.Argument(help="A claim code, the text of its QR code, or an operator's token of the hub.")
    ],
    config: ConfigOption = DEFAULT_CONFIG,
    hub: Annotated[
        str, typer.Option(help="Address of the hub, such as https://10.0.0.2:8080; default: from the settings.")
    ] = "",
    anew: Annotated[  # noqa: FBT002 - a switch of the command line
        bool, typer.Option("--anew", help="Make a new key and become another device: after a move, or once revoked.")
    ] = False,
    device: Annotated[str, typer.Option(help="With a token: identifier of this device.")] = "",
    room: Annotated[str, typer.Option(help="With a token: identifier of the room it stands in.")] = "",
    name: Annotated[str, typer.Option(help="With a token: name of the room for people.")] = "",
    school: Annotated[str, typer.Option(help="With a token: school of the room.")] = "",
) -> None:
    """Make this machine known to a hub. Its key is made here and never leaves the machine.

    With a claim code (`tongtang hub enrol` makes one) the hub says which room and device this is. Case, spaces and
    hyphens of the code do not matter. Where an operator must confirm it, this waits; stopped and run again with the
    same code it goes on. The text of the QR code holds the hub's address and key too, and both are checked.

    With an operator's token device and room are named here, or in the settings.

    Example:
      tongtang agent enrol 7K2M-QX9D-4HTV --hub https://10.0.0.2:8080
      tongtang agent enrol TOKEN --hub http://127.0.0.1:8080 --device shiqiao-3-screen --room shiqiao-3
    """
    settings = _settings(config)
    try:
        typed = read_typed(shown := " ".join(code))
        if typed is not None:
            if typed.hub_url and hub and hub.rstrip("/") != typed.hub_url:
                raise _refused(f"the QR code is of the hub {typed.hub_url}, not of {hub}; leave --hub out")
            where = typed.hub_url or hub or settings.hub.url
            said = lambda words: typer.echo(f"{words} ...", err=True)  # noqa: E731
            done = enrol(settings.state, where, typed, ca=settings.hub.ca, anew=anew, say=said)
        else:
            done = _registered(settings, hub or settings.hub.url, shown, (device, room, name, school))
    except IdentityRefused as error:
        raise _refused(str(error)) from error
    except KeyboardInterrupt:
        typer.echo("stopped; the same command goes on where this ended", err=True)
        raise typer.Exit(130) from None
    typer.echo(f"enrolled as {done.device} in room {done.room} of {done.hub_url}")
    typer.echo("if the service runs already, start it again: systemctl restart tongtang-agent")


def _registered(settings: AgentSettings, hub: str, token: str, names: tuple[str, str, str, str]) -> Identity:
    own = settings.agent
    device, room, name, school = names
    chosen_device, chosen_room = device or own.device or "", room or own.room or ""
    if not chosen_device or not chosen_room:
        raise _refused("with a token, say which device and room this is: --device and --room, or in the settings")
    called = (name or own.name, school or own.school)
    return register(own.state, hub, token, chosen_device, chosen_room, *called, ca=settings.hub.ca)


@app.command()
def sources(
    *,
    as_json: JsonOption = False,
    preview: Annotated[
        Path | None,
        typer.Option(help="Write a picture of the room's camera to this PNG file, with masks and areas drawn in."),
    ] = None,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """List what this machine can see and hear with, as source strings to paste into the settings.

    No camera and no microphone is opened: a lesson that is running is not disturbed.

    With --preview the camera that the settings name is opened for some seconds instead, which it must be free for.
    What is masked or blurred in a lesson is so in the picture; a ruler along its edges tells where areas are.

    Example:
      tongtang agent sources --preview room.png --config /etc/tongtang/agent.toml
    """
    if preview is not None:
        _preview(_settings(config), preview)
        return
    from agent.capture.sources import list_sources  # noqa: PLC0415 - loads the media libraries

    lines = list_sources()
    if as_json:
        typer.echo(json.dumps([asdict(line) for line in lines], ensure_ascii=False, indent=1))
        return
    width = max(len(line.source) for line in lines)
    for line in lines:
        mark = "✓" if line.usable else "✗"
        typer.echo(f"{mark} {line.source:<{width}}  {line.name} ({line.gives}){': ' if line.words else ''}{line.words}")


def _preview(settings: AgentSettings, path: Path) -> None:
    from agent.preview import PreviewRefused, preview  # noqa: PLC0415 - loads the media libraries

    try:
        troubles = preview(settings, parse_source(settings.sources.source), path)
    except (PreviewRefused, SourceRefused) as error:
        raise _refused(str(error)) from error
    for words in troubles:
        typer.echo(words, err=True)
    typer.echo(f"{path}: what others see of {settings.sources.source}, with masks and areas drawn in")


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


@app.command("mark")
def set_mark(
    title: Annotated[str, typer.Argument(help="What begins here; may be left out.")] = "",
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Mark this moment of the lesson that runs in this room: a chapter begins here.

    Asks the running agent over the socket of the teacher's screen, so it is to be run as the agent's account.
    Exit code 2 where nothing was marked; the reason is told.

    Example:
      sudo -u tongtang tongtang agent mark 勾股定理的证明
    """
    from agent.cli_mark import marked  # noqa: PLC0415 - of use while a lesson runs

    taken, words = marked(_settings(config), title)
    if not taken:
        raise _refused(words)
    typer.echo(words)


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
