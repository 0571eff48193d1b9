"""`tongtang hub backup` and `tongtang hub restore`."""

import json
import time
from pathlib import Path
from typing import Annotated

import typer

from hub.cli_options import ConfigOption, DataOption, JsonOption, refused, settings_from
from hub.errors import HubRefused

FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="The backup, one tar file.")]


def backup(
    file: FileArgument,
    config: ConfigOption = None,
    data: DataOption = None,
    *,
    archive: Annotated[bool, typer.Option("--archive", help="With the lesson packages; they are large.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Write all that makes this hub into one file, while the hub runs: database, keys, authority, settings.

    Whoever holds the file commands the rooms: it is readable by this account alone; keep it so. An interrupted backup
    leaves no file. A database in PostgreSQL is dumped with pg_dump.

    Examples:
      tongtang hub backup /backup/tongtang-2026-11-22.tar --data /srv/tongtang
      tongtang hub backup /backup/all.tar --config /etc/tongtang/hub.toml --archive --json
    """
    from hub.backup.make import backup as make  # noqa: PLC0415  loads the database, which --help does not need
    from hub.service import hub_version  # noqa: PLC0415

    settings = settings_from(config, data)
    try:
        made = make(settings, file, version=hub_version(), now=time.time(), archive=archive, toml=config)
    except HubRefused as error:
        raise refused(str(error)) from error
    if as_json:
        told = {"file": str(made.file), "bytes": made.bytes, "words": made.words}
        typer.echo(json.dumps({**told, "manifest": made.manifest.model_dump()}, indent=1))
        return
    typer.echo(
        f"{made.file}: {made.bytes / 1e6:.1f} MB, {len(made.manifest.files)} files, {made.manifest.devices} devices"
    )
    for words in made.words:
        typer.echo(words)


def restore(
    file: FileArgument,
    data: Annotated[Path, typer.Option("--data", "-d", help="The hub's new folder: empty, or not there yet.")],
    database: Annotated[
        str, typer.Option(help="URL of an empty PostgreSQL database, for a backup that holds one.", show_default=False)
    ] = "",
    *,
    as_json: JsonOption = False,
) -> None:
    """Make the hub of a backup in an empty folder. Every byte is checked before the first is written.

    Devices find their hub again where it has its old addresses. What they sent since the backup was made they still
    hold, for seven days, and send again by themselves. A settings file in the backup names the new folder afterwards.
    Refuses what a newer version has written.

    Examples:
      tongtang hub restore /backup/tongtang-2026-11-22.tar --data /srv/tongtang
    """
    from hub.backup.restore import restore as put_back  # noqa: PLC0415  loads the database
    from hub.service import hub_version  # noqa: PLC0415

    try:
        done = put_back(file, data, version=hub_version(), database=database)
    except HubRefused as error:
        raise refused(str(error)) from error
    if as_json:
        typer.echo(json.dumps({"data": str(done.data), "words": done.words, "manifest": done.manifest.model_dump()}))
        return
    typer.echo(f"the hub with {done.manifest.devices} devices is restored in {done.data}")
    for words in done.words:
        typer.echo(words)
