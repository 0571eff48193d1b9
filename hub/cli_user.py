"""`tongtang hub user`: who may operate the hub."""

import datetime as dt
import json
import re
from typing import Annotated

import typer

from hub.cli_options import ConfigOption, DataOption, JsonOption, refused, settings_from
from hub.errors import HubRefused
from hub.store.errors import StoreRefused

app = typer.Typer(no_args_is_help=True, help="Who may operate the hub.")

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Name of the operator.")]


@app.command()
def add(
    name: NameArgument,
    config: ConfigOption = None,
    data: DataOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Give an operator a token, shown once. One who has a token gets a new one, and the old one stops working.

    Takes effect at once, also while the hub runs. The first operator, whom `init` made, is called operator: a lost
    token is replaced with `user add operator`.

    Examples:
      tongtang hub user add li-jing --data /srv/tongtang
      tongtang hub user add operator --config /etc/tongtang/hub.toml
    """
    from hub.founding import new_operator  # noqa: PLC0415  loads the database, which --help does not need

    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,62}", name):
        raise refused(f"{name!r} cannot be an operator's name; use lower-case letters, digits and hyphens")
    try:
        token = new_operator(settings_from(config, data), name)
    except (HubRefused, StoreRefused) as error:
        raise refused(str(error)) from error
    typer.echo(json.dumps({"name": name, "token": token}, indent=1) if as_json else f"{name}'s token: {token}")


@app.command("list")
def list_users(config: ConfigOption = None, data: DataOption = None, *, as_json: JsonOption = False) -> None:
    """List whoever may operate the hub, and since when their token counts. Tokens themselves are kept nowhere.

    Examples:
      tongtang hub user list --data /srv/tongtang
      tongtang hub user list --config /etc/tongtang/hub.toml --json
    """
    from hub.founding import operators  # noqa: PLC0415  loads the database, which --help does not need

    try:
        found = operators(settings_from(config, data))
    except (HubRefused, StoreRefused) as error:
        raise refused(str(error)) from error
    if as_json:
        typer.echo(json.dumps([{"name": one.name, "created": one.created} for one in found], indent=1))
        return
    for one in found:
        since = dt.datetime.fromtimestamp(one.created, dt.UTC).strftime("%Y-%m-%d %H:%M UTC")
        typer.echo(f"{one.name:<24} since {since}")


@app.command()
def remove(
    name: NameArgument, config: ConfigOption = None, data: DataOption = None, *, as_json: JsonOption = False
) -> None:
    """Take an operator out: their token counts no more, and where they are signed in they are signed out.

    Takes effect at once, also while the hub runs. The last operator stays.

    Examples:
      tongtang hub user remove li-jing --data /srv/tongtang
      tongtang hub user remove operator --config /etc/tongtang/hub.toml
    """
    from hub.founding import remove_operator  # noqa: PLC0415  loads the database, which --help does not need

    try:
        remove_operator(settings_from(config, data), name)
    except (HubRefused, StoreRefused) as error:
        raise refused(str(error)) from error
    typer.echo(json.dumps({"name": name, "removed": True}, indent=1) if as_json else f"{name} may not operate the hub")
