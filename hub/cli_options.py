"""What every command of `tongtang hub` is told: where the hub is, and how to answer."""

from pathlib import Path
from typing import Annotated

import typer

from contract.settings import SettingsRefused
from hub.settings import HubSettings, load_settings

ConfigOption = Annotated[
    Path | None, typer.Option("--config", "-c", help="The hub's settings (hub.toml).", show_default=False)
]
DataOption = Annotated[
    Path | None,
    typer.Option("--data", "-d", help="Data folder, with every other setting as it is by default.", show_default=False),
]
JsonOption = Annotated[bool, typer.Option("--json", help="For programs.")]


def settings_from(config: Path | None, data: Path | None) -> HubSettings:
    """The settings that either a file or a data folder stands for.

    Raises:
        typer.Exit: neither or both are given, or the file has something to mend; told on stderr.
    """
    if (config is None) == (data is None):
        raise refused("say where the hub is: either --config FILE or --data DIR")
    if data is not None:
        return HubSettings(data=data)
    try:
        return load_settings(config or Path())
    except SettingsRefused as error:
        raise refused(str(error)) from error


def refused(words: str) -> typer.Exit:
    """Tell why on stderr; what is returned ends the command with 2."""
    typer.echo(words, err=True)
    return typer.Exit(2)
