"""`tongtang hub ...`: one district."""

import asyncio
import json
import logging
import re
from pathlib import Path
from typing import Annotated

import typer

from contract.settings import SettingsRefused
from hub.broker.errors import BrokerUnusable
from hub.errors import HubRefused
from hub.settings import HubSettings, load_settings
from hub.store.errors import StoreRefused

app = typer.Typer(
    no_args_is_help=True,
    help="""One district: the hub that conducts sessions, keeps lesson packages and shows the console.

    On a new machine: `init`, `check`, `run`, in this order.""",
)

user = typer.Typer(no_args_is_help=True, help="Who may operate the hub.")
app.add_typer(user, name="user")

ConfigOption = Annotated[
    Path | None, typer.Option("--config", "-c", help="The hub's settings (hub.toml).", show_default=False)
]
DataOption = Annotated[
    Path | None,
    typer.Option("--data", "-d", help="Data folder, with every other setting as it is by default.", show_default=False),
]
JsonOption = Annotated[bool, typer.Option("--json", help="For programs.")]


@app.command()
def init(config: ConfigOption = None, data: DataOption = None, *, as_json: JsonOption = False) -> None:
    """Make a hub: its data folder, database, key and the first operator's token.

    A folder that holds a hub already is left as it is. The token signs in to the console and to the API;
    it stands in operator.token in the data folder, readable by this account alone. Take it out once it is kept
    in a safe place.

    Examples:
      tongtang hub init --data /srv/tongtang
      tongtang hub init --config configs/hub.toml --json
    """
    from hub.founding import init as found  # noqa: PLC0415  loads the database, which --help does not need

    settings = _settings(config, data)
    try:
        founded = found(settings.data, settings.database)
    except (HubRefused, StoreRefused) as error:
        raise _refused(str(error)) from error
    if as_json:
        told = {"data": str(founded.data), "new": founded.new, "public_key": founded.public_key, "token": founded.token}
        typer.echo(json.dumps(told, indent=1))
        return
    typer.echo(founded.words)
    typer.echo(f"operator's token: {founded.token or '(taken out of the folder)'}")
    source = f"--config {config}" if config else f"--data {settings.data}"
    typer.echo(f"now: tongtang hub check {source} && tongtang hub run {source}")


@app.command()
def run(config: ConfigOption = None, data: DataOption = None) -> None:
    """Run the hub in the foreground, as a service manager does. SIGTERM or Ctrl-C ends it in order.

    Where it listens stands in hub.json in the data folder as soon as it answers. The console is at its HTTP address.

    Examples:
      tongtang hub run --config /etc/tongtang/hub.toml
      tongtang hub run --data /srv/tongtang
    """
    from hub.api.app import create_app  # noqa: PLC0415  loads web server and broker, which other commands do not need
    from hub.service import HubService  # noqa: PLC0415

    settings = _settings(config, data)
    if not logging.getLogger().handlers:
        logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
        logging.getLogger("alembic").setLevel(logging.WARNING)  # tells how it talks with the database
    try:
        asyncio.run(HubService(settings, create_app).run())
    except (HubRefused, StoreRefused, BrokerUnusable) as error:
        raise _refused(str(error)) from error


@app.command()
def check(config: ConfigOption = None, data: DataOption = None, *, as_json: JsonOption = False) -> None:
    """Look at everything a hub needs: a line each, what is wrong and what to do. Changes nothing.

    Ends with 1 where something is bad. `warn` does not keep the hub from running.

    Examples:
      tongtang hub check --data /srv/tongtang
      tongtang hub check --config /etc/tongtang/hub.toml --json
    """
    from hub.checks import check as look  # noqa: PLC0415  loads the database, which --help does not need
    from hub.checks.line import Verdict  # noqa: PLC0415

    lines = look(_settings(config, data))
    if as_json:
        typer.echo(json.dumps([line.as_json() for line in lines], ensure_ascii=False, indent=1))
    else:
        for line in lines:
            typer.echo(str(line))
    if any(line.verdict is Verdict.BAD for line in lines):
        raise typer.Exit(1)


@user.command("add")
def add_user(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the operator.")],
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
        raise _refused(f"{name!r} cannot be an operator's name; use lower-case letters, digits and hyphens")
    try:
        token = new_operator(_settings(config, data), name)
    except (HubRefused, StoreRefused) as error:
        raise _refused(str(error)) from error
    typer.echo(json.dumps({"name": name, "token": token}, indent=1) if as_json else f"{name}'s token: {token}")


def _settings(config: Path | None, data: Path | None) -> HubSettings:
    if (config is None) == (data is None):
        raise _refused("say where the hub is: either --config FILE or --data DIR")
    if data is not None:
        return HubSettings(data=data)
    try:
        return load_settings(config or Path())
    except SettingsRefused as error:
        raise _refused(str(error)) from error


def _refused(words: str) -> typer.Exit:
    typer.echo(words, err=True)
    return typer.Exit(2)
