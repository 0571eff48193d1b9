"""`tongtang hub ...`: one district."""

import asyncio
import json
import logging

import typer

from hub import cli_fleet, cli_twin, cli_user
from hub.broker.errors import BrokerUnusable
from hub.cli_backup import backup, restore
from hub.cli_broker import broker_config
from hub.cli_command import command
from hub.cli_options import ConfigOption, DataOption, JsonOption, refused, settings_from
from hub.errors import HubRefused
from hub.store.errors import StoreRefused

app = typer.Typer(
    no_args_is_help=True,
    help="""One district: the hub that conducts sessions, keeps lesson packages and shows the console.

    On a new machine: `init`, `check`, `run`, in this order.""",
)

app.add_typer(cli_user.app, name="user")
app.add_typer(cli_fleet.app)
app.add_typer(cli_twin.app, name="twin")
app.command("command")(command)
app.command("broker-config")(broker_config)
app.command("backup")(backup)
app.command("restore")(restore)


@app.command()
def init(config: ConfigOption = None, data: DataOption = None, *, as_json: JsonOption = False) -> None:
    """Make a hub: its data folder, database, key and the first operator's token.

    A folder that holds a hub already is left as it is. The token signs in to the console and to the API;
    it stands in operator.token in the data folder, readable by this account alone. Take it out once it is kept
    in a safe place.

    Examples:
      tongtang hub init --data /srv/tongtang
      tongtang hub init --config /etc/tongtang/hub.toml --json
    """
    from hub.founding import init as found  # noqa: PLC0415  loads the database, which --help does not need

    settings = settings_from(config, data)
    try:
        founded = found(settings.data, settings.database, settings.ca)
    except (HubRefused, StoreRefused) as error:
        raise refused(str(error)) from error
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

    settings = settings_from(config, data)
    if not logging.getLogger().handlers:
        logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
        logging.getLogger("alembic").setLevel(logging.WARNING)  # tells how it talks with the database
    try:
        asyncio.run(HubService(settings, create_app).run())
    except (HubRefused, StoreRefused, BrokerUnusable) as error:
        raise refused(str(error)) from error


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

    lines = look(settings_from(config, data))
    if as_json:
        typer.echo(json.dumps([line.as_json() for line in lines], ensure_ascii=False, indent=1))
    else:
        for line in lines:
            typer.echo(str(line))
    if any(line.verdict is Verdict.BAD for line in lines):
        raise typer.Exit(1)
