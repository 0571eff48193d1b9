"""`tongtang hub command`: tell devices to do something, and see what came of it."""

import json
import time
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli_options import ConfigOption, DataOption, JsonOption, refused, settings_from
from hub.errors import HubRefused

if TYPE_CHECKING:  # loads the database, which --help does not need
    from hub.running import RunningHub

LOOK_S = 0.3
LATE_S = 8.0
"""The hub gives a command up a few seconds after it has expired."""
LISTED_MAX = 20_000
TokenOption = Annotated[
    str,
    typer.Option(
        "--token", envvar="TONGTANG_TOKEN", help="An operator's token; by default the one in the data folder."
    ),
]


def command(
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="[DEVICE] NAME",
            help="The device, unless --school or --all says for whom; then ping, health, restart, identify, "
            "renew-certificate or log.",
        ),
    ],
    school: Annotated[str, typer.Option("--school", "-s", help="Every device of this school.")] = "",
    arg: Annotated[
        list[str] | None, typer.Option("--arg", "-a", metavar="KEY=VALUE", help="An argument of the command; repeat.")
    ] = None,
    valid_s: Annotated[
        float, typer.Option("--valid", min=1, max=86_400, help="No device begins with it later than this, in s.")
    ] = 60.0,
    config: ConfigOption = None,
    data: DataOption = None,
    token: TokenOption = "",
    *,
    every: Annotated[bool, typer.Option("--all", help="Every device.")] = False,
    wait: Annotated[bool, typer.Option("--wait", "-w", help="Until all have answered, or it has expired.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Tell devices to do something, through the running hub. Each does it at most once, and never too late.

    A device that is away gets it when it is back in time. `restart` is refused during a lesson and just before one.
    With --wait: ends with 1 where a device did not do it, and tells what each answered.

    Examples:
      tongtang hub command shiqiao-3 health --wait --data /srv/tongtang
      tongtang hub command shiqiao-3 log --arg lines=100 --wait --config hub.toml
      tongtang hub command --school 石桥教学点 restart --valid 3600 --config hub.toml
    """
    from hub.running import RunningHub  # noqa: PLC0415  loads the database, which --help does not need

    body = _body(words, school, arg or [], valid_s, every=every)
    try:
        hub = RunningHub.find(settings_from(config, data, database=False), token)
        sent = hub.send("POST", "/api/v1/commands", body)
        if wait:
            answers = _answers(hub, sent)
    except HubRefused as error:
        raise refused(str(error)) from error
    if not wait:
        typer.echo(json.dumps(sent, ensure_ascii=False, indent=1) if as_json else _told(sent))
        return
    if as_json:
        typer.echo(json.dumps(answers, ensure_ascii=False, indent=1))
    else:
        for line in _lines(answers):
            typer.echo(line)
    raise typer.Exit(int(any(one["state"] != "done" for one in answers)))


def _body(words: list[str], school: str, arguments: list[str], valid_s: float, *, every: bool) -> dict[str, Any]:
    if len(words) > 2:
        raise refused(f"{' '.join(words)}: name one device and one command; for more devices: --school or --all")
    *devices, name = words
    if bool(devices) + bool(school) + every != 1:
        raise refused("say for whom: a DEVICE before the command's name, --school S, or --all; one of the three")
    return {
        "devices": devices,
        "school": school,
        "all": every,
        "name": name,
        "arguments": dict(pair(one) for one in arguments),
        "valid_s": valid_s,
    }


def pair(text: str) -> tuple[str, Any]:
    """`key=value` with the value as JSON where it is some, else as text.

    Raises:
        typer.Exit: there is no equals sign; told on stderr.
    """
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise refused(f"{text!r} is no KEY=VALUE")
    try:
        return key, json.loads(value)
    except ValueError:
        return key, value


def _answers(hub: "RunningHub", sent: dict[str, Any]) -> list[dict[str, Any]]:
    """What came of every command, once all have answered or expired."""
    wanted = {one["id"] for one in sent["commands"]}
    until = time.monotonic() + (sent["expires"] - sent["issued"]) + LATE_S
    while True:
        found = hub.get("/api/v1/commands", since=sent["issued"], limit=LISTED_MAX)
        mine = sorted((one for one in found if one["id"] in wanted), key=lambda one: str(one["device"]))
        if all(one["state"] != "sent" for one in mine) or time.monotonic() > until:
            return mine
        time.sleep(LOOK_S)


def _told(sent: dict[str, Any]) -> str:
    commands = sent["commands"]
    return f"on its way as {commands[0]['id']}" if len(commands) == 1 else f"on its way to {len(commands)} devices"


def _lines(answers: list[dict[str, Any]]) -> Iterable[str]:
    width = max(len(one["device"]) for one in answers)
    for one in answers:
        yield f"{one['device']:<{width}}  {one['state']}{': ' if one['words'] else ''}{one['words']}"
        for key, value in one["data"].items():
            if isinstance(value, list) and all(isinstance(line, str) for line in value):
                yield from (f"  {line}" for line in value)
            else:
                yield f"  {key}: {json.dumps(value, ensure_ascii=False)}"
    if len(answers) > 1:
        counts = Counter(one["state"] for one in answers)
        yield ", ".join(f"{count} {state}" for state, count in sorted(counts.items()))
