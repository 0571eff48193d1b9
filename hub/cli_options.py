"""What every command of `tongtang hub` is told: where the hub is, and how to answer."""

from pathlib import Path
from typing import Annotated

import typer

from contract.settings import SettingsRefused
from hub.settings import DATABASE_FILE, KEY_FILE, HubSettings, load_settings

ConfigOption = Annotated[
    Path | None, typer.Option("--config", "-c", help="The hub's settings (hub.toml).", show_default=False)
]
DataOption = Annotated[
    Path | None,
    typer.Option("--data", "-d", help="Data folder, with every other setting as it is by default.", show_default=False),
]
JsonOption = Annotated[bool, typer.Option("--json", help="For programs.")]


def settings_from(config: Path | None, data: Path | None, *, database: bool = True) -> HubSettings:
    """The settings that either a file or a data folder stands for.

    Args:
        config: the file.
        data: the folder.
        database: whether the command opens the hub's database, and does not only ask the hub that runs.

    Raises:
        typer.Exit: neither or both are given, the file has something to mend, or the folder's hub has other settings
            than those by default; told on stderr.
    """
    if (config is None) == (data is None):
        raise refused("say where the hub is: either --config FILE or --data DIR")
    if data is not None:
        if database and (data / KEY_FILE).exists() and not (data / DATABASE_FILE).exists():
            # Else a second, empty database would be made there, and every command would seem to work.
            raise refused(f"the hub in {data} keeps its database elsewhere, or has lost it; say --config FILE instead")
        return HubSettings(data=data)
    try:
        return load_settings(config or Path())
    except SettingsRefused as error:
        raise refused(str(error)) from error


def refused(words: str) -> typer.Exit:
    """Tell why on stderr; what is returned ends the command with 2."""
    typer.echo(words, err=True)
    return typer.Exit(2)
