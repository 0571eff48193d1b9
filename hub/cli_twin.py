"""`tongtang hub twin`: what is wanted of a device's settings, and how it stands to that."""

import json
from typing import Annotated, Any

import typer

from contract.twin import settable
from hub.cli_command import TokenOption, pair
from hub.cli_options import ConfigOption, DataOption, JsonOption, refused, settings_from
from hub.errors import HubRefused

app = typer.Typer(
    no_args_is_help=True,
    help="The configuration that is wanted of a device, and the one that it has (设备影子); the hub must run.",
)

Device = Annotated[str, typer.Argument(metavar="DEVICE", help="The device.")]


@app.command()
def show(
    device: Annotated[str, typer.Argument(metavar="[DEVICE]", help="The device; without it those that lag.")] = "",
    config: ConfigOption = None,
    data: DataOption = None,
    token: TokenOption = "",
    *,
    as_json: JsonOption = False,
) -> None:
    """Show what is wanted of a device, what is in force there, and why the two differ.

    Without a device: every one on which what is wanted is not in force.

    Examples:
      tongtang hub twin show shiqiao-3 --data /srv/tongtang
      tongtang hub twin show --config hub.toml
    """
    from hub.running import RunningHub  # noqa: PLC0415  loads the database, which --help does not need

    try:
        hub = RunningHub.find(settings_from(config, data, database=False), token)
        found = hub.get(f"/api/v1/twins/{device}") if device else hub.get("/api/v1/twins", lagging=True)
    except HubRefused as error:
        raise refused(str(error)) from error
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=1))
    elif device:
        _tell(found)
    elif not found:
        typer.echo("what is wanted is in force everywhere")
    else:
        for one in found:
            typer.echo(f"{one['device']}  {one['says']}")


@app.command("set")
def set_keys(
    device: Device,
    changes: Annotated[
        list[str],
        typer.Argument(metavar="KEY=VALUE...", help="As in report.health_s=10; `KEY=` leaves it to the device again."),
    ],
    config: ConfigOption = None,
    data: DataOption = None,
    token: TokenOption = "",
    *,
    as_json: JsonOption = False,
) -> None:
    """Want something of a device's settings. What is wanted of it besides stays wanted.

    The device applies it when no lesson is on or within ten minutes, and goes back to what was in force before where
    it is not well with it. What can be set: see docs/protocol.md, or the answer to a wrong key.

    Examples:
      tongtang hub twin set shiqiao-3 report.health_s=10 --data /srv/tongtang
      tongtang hub twin set shiqiao-3 video.bitrate_max=3000000 observe.enabled=false --config hub.toml
      tongtang hub twin set shiqiao-3 observe.enabled= --config hub.toml
    """
    from hub.running import RunningHub  # noqa: PLC0415  loads the database, which --help does not need

    wanted = [pair(one) for one in changes]
    try:
        hub = RunningHub.find(settings_from(config, data, database=False), token)
        before = hub.get(f"/api/v1/twins/{device}")
        body = {"config": _changed(before["config"], wanted), "rev": before["rev"]}
        found = hub.send("PUT", f"/api/v1/twins/{device}", body)
    except HubRefused as error:
        raise refused(str(error)) from error
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=1))
    else:
        _tell(found)


def _changed(config: dict[str, Any], changes: list[tuple[str, Any]]) -> dict[str, Any]:
    """`config` with dotted keys set, or taken out where their value is an empty text."""
    after = {table: dict(keys) for table, keys in config.items()}
    for name, value in changes:
        table, dot, key = name.partition(".")
        if not dot:
            near = [one for one in settable() if one.rpartition(".")[2] == name]
            hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(settable())}"
            raise HubRefused(f"{name}: there is no such setting in the twin; {hint}")
        keys = after.setdefault(table, {})
        if value == "" or value is None:
            keys.pop(key, None)
        else:
            keys[key] = value
    return after


def _tell(twin: dict[str, Any]) -> None:
    typer.echo(f"{twin['device']}, revision {twin['rev']}: {twin['says']}")
    for title, config in (("wanted", twin["config"]), ("in force", twin["reported"])):
        told = [f"{table}.{key}={json.dumps(value)}" for table, keys in config.items() for key, value in keys.items()]
        typer.echo(f"  {title}: {', '.join(told) or 'the own settings of the device'}")
