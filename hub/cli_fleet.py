"""`tongtang hub enrol`, `claims`, `confirm` and `revoke`: who belongs to the fleet."""

import io
import json
import os
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

import typer

from hub.cli_options import ConfigOption, DataOption, JsonOption, refused, settings_from
from hub.door import is_loopback
from hub.errors import HubRefused
from hub.settings import HubSettings
from hub.store.errors import StoreRefused

if TYPE_CHECKING:  # loads the database, which --help does not need
    from hub.fleet.claims import MadeClaim
    from hub.fleet.desk import Desk
    from hub.store.claims import ClaimRecord

app = typer.Typer()


@app.command()
def enrol(
    school: Annotated[str, typer.Option("--school", "-s", help="School, as people call it.")] = "",
    room: Annotated[str, typer.Option("--room", "-r", help="Room: lower-case letters, digits, hyphens.")] = "",
    name: Annotated[str, typer.Option("--name", "-n", help="Name of the room, as people call it.")] = "",
    config: ConfigOption = None,
    data: DataOption = None,
    *,
    rooms: Annotated[
        Path | None,
        typer.Option("--csv", help="Rooms of a whole school: columns school, room, name.", show_default=False),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Folder for the codes of --csv; its own by default.", show_default=False),
    ] = None,
    url: Annotated[str, typer.Option("--url", help="How devices reach the hub, where the settings do not say.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Make a one-time claim code, by which a machine becomes the device of a room.

    The code counts for 15 minutes and for one machine. With --csv one is made for each room of a file: they count
    for 14 days, and an operator confirms the first use of each (`tongtang hub confirm`). Beside the file go the
    codes as CSV and a sheet to print, with a QR code a room; both are secret. Nothing is made where a row has faults.

    A new code for a room ends the one before. A room that is known keeps its school and name where none is given.
    The hub may run meanwhile.

    Examples:
      tongtang hub enrol --school 城关小学 --room chengguan-301 --name 三年级一班 --config hub.toml
      tongtang hub enrol --csv chengguan.csv --config hub.toml
    """
    from hub.fleet.claims import NewClaim  # noqa: PLC0415  loads the database, which --help does not need
    from hub.fleet.desk import desk  # noqa: PLC0415
    from hub.fleet.errors import ClaimRefused  # noqa: PLC0415

    settings = settings_from(config, data)
    if (rooms is None) == (not room):
        raise refused("say for which room: either --school and --room, or --csv FILE")
    try:
        with desk(settings, url) as at:
            if is_loopback(urlsplit(at.hub).hostname or ""):
                typer.echo(f"note: {at.hub} is this machine alone; set url under [http], or say --url", err=True)
            if rooms is not None:
                _school(at, rooms, out or rooms.parent, settings, as_json=as_json)
                return
            (made,) = at.claims.make([NewClaim(school, room, name)], confirm=False, by=at.by)
            _one(at, made, as_json=as_json)
    except (HubRefused, StoreRefused, ClaimRefused) as error:
        raise refused(str(error)) from error


@app.command()
def claims(config: ConfigOption = None, data: DataOption = None, *, as_json: JsonOption = False) -> None:
    """List claims: open ones, machines that wait to be confirmed, and what came of the others in the last 30 days.

    Examples:
      tongtang hub claims --data /srv/tongtang
      tongtang hub claims --config hub.toml --json
    """
    from hub.fleet.desk import desk  # noqa: PLC0415  loads the database, which --help does not need

    try:
        with desk(settings_from(config, data)) as at:
            _tell(at.claims.all(), as_json=as_json)
    except (HubRefused, StoreRefused) as error:
        raise refused(str(error)) from error


@app.command()
def confirm(
    rooms: Annotated[list[str] | None, typer.Argument(metavar="[ROOM]...", help="Rooms.", show_default=False)] = None,
    config: ConfigOption = None,
    data: DataOption = None,
    *,
    school: Annotated[str, typer.Option("--school", "-s", help="Every machine that waits in this school.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Let machines that have shown the code of a printed sheet have their rooms; they go on by themselves.

    Compare what `tongtang hub claims` tells of them (address, key) with what the machines show, where there is doubt.
    A machine that should not have the room is kept out with a new code for that room.

    Examples:
      tongtang hub confirm chengguan-301 chengguan-302 --data /srv/tongtang
      tongtang hub confirm --school 城关小学 --config hub.toml
    """
    from hub.fleet.desk import desk  # noqa: PLC0415  loads the database, which --help does not need
    from hub.fleet.errors import ClaimRefused  # noqa: PLC0415

    if bool(rooms) == bool(school):
        raise refused("say whom: either rooms, or --school")
    faults: list[str] = []
    confirmed: list[ClaimRecord] = []
    try:
        with desk(settings_from(config, data)) as at:
            wanted = rooms or [one.room for one in at.claims.waiting() if one.school == school]
            for room in wanted:
                try:
                    confirmed.append(at.claims.confirm(room, at.by))
                except ClaimRefused as error:
                    faults.append(f"{error}; {error.what_to_do}")
    except (HubRefused, StoreRefused) as error:
        raise refused(str(error)) from error
    if confirmed or as_json:
        _tell(confirmed, as_json=as_json)
    if not wanted:
        faults.append(f"no machine waits in a school called {school}; list them with: tongtang hub claims")
    if faults:
        raise refused("\n".join(faults))


@app.command()
def revoke(
    device: Annotated[str, typer.Argument(metavar="DEVICE", help="The device.")],
    config: ConfigOption = None,
    data: DataOption = None,
    *,
    token: Annotated[
        str, typer.Option("--token", envvar="TONGTANG_TOKEN", help="Operator's token; by default operator.token.")
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """Shut a device out for good: its connection is cut, nothing it says counts, its room is free.

    A hub that runs is asked to do it at once; without a token it is written into its database, where the hub finds it
    within two seconds. The machine comes back only with a new claim code and a new key.

    Examples:
      tongtang hub revoke chengguan-301 --data /srv/tongtang
      tongtang hub revoke chengguan-301 --config hub.toml --json
    """
    from hub.fleet import desk  # noqa: PLC0415  loads the database, which --help does not need

    try:
        at_once = desk.revoke(settings_from(config, data), device, token)
    except (HubRefused, StoreRefused) as error:
        raise refused(str(error)) from error
    if as_json:
        typer.echo(json.dumps({"device": device, "revoked": True, "by_hub": at_once}, indent=1))
        return
    when = "by the hub that runs" if at_once else "in the database; a hub that runs refuses it within two seconds"
    typer.echo(f"device {device} is revoked, {when}")


def _one(at: "Desk", made: "MadeClaim", *, as_json: bool) -> None:
    """Show a code that is used on sight."""
    from hub.fleet.sheet import until  # noqa: PLC0415  loads what --help does not need

    if as_json:
        typer.echo(json.dumps(_told(at, made), ensure_ascii=False, indent=1))
        return
    typer.echo(f"claim code for room {made.asked.room}, good until {until(made.expires)}, once:\n\n  {made.code}\n")
    typer.echo(terminal_qr(at.ticket(made.code)))
    typer.echo(f"on the room's machine: tongtang agent enrol {made.code} --hub {at.hub}")


def _school(at: "Desk", rooms: Path, out: Path, settings: HubSettings, *, as_json: bool) -> None:
    """Make the codes of a whole file, and put them beside it."""
    from hub.fleet.roster import read_roster  # noqa: PLC0415  loads what --help does not need
    from hub.fleet.sheet import listed, printed  # noqa: PLC0415

    try:
        asked = read_roster(rooms.read_bytes(), at.claims.faults)
        codes, sheet = (out / f"{rooms.stem}-codes.{end}" for end in ("csv", "html"))
        for file in (codes, sheet):
            _write_private(file, b"")  # before any code is made that could not be told
        made = at.claims.make(asked, confirm=True, by=at.by)
        _write_private(codes, listed(made, at.hub, at.hub_key))
        _write_private(sheet, printed(made, at.hub, at.hub_key, settings.language).encode())
    except OSError as error:
        raise HubRefused(f"{error.filename}: {error.strerror}; make the codes again once that is mended") from error
    if as_json:
        told = {"codes": str(codes), "sheet": str(sheet), "claims": [_told(at, one) for one in made]}
        typer.echo(json.dumps(told, ensure_ascii=False, indent=1))
        return
    typer.echo(f"made {len(made)} claim codes, good for 14 days, each for one room and one machine")
    typer.echo(f"to print:   {sheet}\nas a table: {codes}")
    typer.echo(
        "keep both safe. Machines that have shown theirs: tongtang hub claims; let them in: tongtang hub confirm"
    )


def _told(at: "Desk", made: "MadeClaim") -> dict[str, Any]:
    asked = made.asked
    return {
        "school": asked.school,
        "room": asked.room,
        "name": asked.name,
        "code": made.code,
        "expires": made.expires,
        "hub": at.hub,
        "hub_key": at.hub_key,
        "ticket": at.ticket(made.code),
    }


def _tell(found: "Iterable[ClaimRecord]", *, as_json: bool) -> None:
    from hub.api.shapes import ClaimView  # noqa: PLC0415  loads what --help does not need
    from hub.fleet.sheet import until  # noqa: PLC0415

    views = [ClaimView.of(one, time.time()) for one in found]
    if as_json:
        typer.echo(json.dumps([one.model_dump(mode="json") for one in views], ensure_ascii=False, indent=1))
        return
    for one in views:
        tail = f"until {until(one.expires)}" if one.used is None else f"{one.address}  key {one.key}  {one.device}"
        typer.echo(f"{one.state:<8} {one.room:<24} {one.school}  {one.name}  {tail}".rstrip())
    if not views:
        typer.echo("no claims in the last 30 days")


def terminal_qr(text: str) -> str:
    """A QR code in letters for the terminal; words where it cannot show the half blocks."""
    import segno  # noqa: PLC0415  not needed by --help

    drawn = io.StringIO()
    segno.make(text, error="l", micro=False).terminal(out=drawn, border=2, compact=True)
    try:
        drawn.getvalue().encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return f"(this terminal shows no QR code; it would hold: {text})"
    return drawn.getvalue()


def _write_private(path: Path, data: bytes) -> None:
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
