"""`tongtang plan calendar`: calendars of rooms, teachers, schools and classes, and who may subscribe to them."""

import datetime as dt
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

import typer

from hub.cli_fleet import terminal_qr
from hub.cli_options import ConfigOption, DataOption, JsonOption, refused, settings_from
from hub.cli_plan_options import tell, written
from hub.door import is_loopback
from hub.errors import HubRefused
from hub.schedule.calendars.occurrences import Kind
from hub.store.errors import StoreRefused

if TYPE_CHECKING:  # loads the database, which --help does not need
    from hub.schedule.calendars.subscriptions import CalendarDesk
    from hub.store.calendar_tokens import CalendarToken
    from hub.store.occurrences import OccurrenceRecord

app = typer.Typer(
    no_args_is_help=True,
    help="""Calendars of rooms, teachers, schools and classes.

    A phone or a mail program subscribes to the address that `token` gives, and follows each change of the plan.""",
)

WhoArgument = Annotated[str, typer.Argument(metavar="ID", help="As the plan names it.", show_default=False)]
FileOption = Annotated[
    Path | None, typer.Option("--out", "-o", metavar="FILE.ics", help="Write it as iCalendar.", show_default=False)
]
UrlOption = Annotated[
    str, typer.Option("--url", help="How subscribers reach the hub, where the settings do not say.", show_default=False)
]
PICTURES = {".svg": "svg", ".png": "png"}


LESSONS: Mapping[Kind, tuple[str, str]] = {
    Kind.ROOM: ("a room, of the last two months and to come; or write them as a calendar file", "liangxiang-1"),
    Kind.TEACHER: ("a teacher: those that they lead, stand beside, or watch", "li-jing"),
    Kind.SCHOOL: ("all rooms of a school", "liangxiang"),
    Kind.CLASS: ("a class", "liangxiang-3-1"),
}
"""Whose calendar can be told: what it is of, and somebody for the examples."""


def _add_calendar(kind: Kind, of: str, example: str) -> None:
    """Add the command that tells the calendars of a kind."""

    def calendar(
        who: WhoArgument,
        out: FileOption = None,
        config: ConfigOption = None,
        data: DataOption = None,
        *,
        as_json: JsonOption = False,
    ) -> None:
        _calendar(kind, who, out, config, data, as_json=as_json)

    calendar.__doc__ = f"""Tell the lessons of {of}.

    Examples:
      tongtang plan calendar {kind} {example} --config hub.toml
      tongtang plan calendar {kind} {example} --out {kind}.ics --data /srv/tongtang
    """
    app.command(kind.value)(calendar)


for _kind, (_of, _example) in LESSONS.items():
    _add_calendar(_kind, _of, _example)


@app.command()
def token(
    kind: Annotated[Kind, typer.Argument(help="Whose calendar.", show_default=False)],
    who: WhoArgument,
    words: Annotated[str, typer.Option("--for", metavar="WORDS", help="For whom it is; stands in the list.")] = "",
    qr_out: Annotated[
        Path | None,
        typer.Option("--qr", metavar="FILE", help="Also write its QR code, as .svg or .png.", show_default=False),
    ] = None,
    url: UrlOption = "",
    config: ConfigOption = None,
    data: DataOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Make the address of a calendar, shown once. Whoever has it may read the calendar, and nothing else.

    Give each person one of their own: then one can be revoked without the others. A recorder that is not ours signs
    in with the token of its room as its password.

    Examples:
      tongtang plan calendar token teacher li-jing --for "Li Jing's phone" --config hub.toml
      tongtang plan calendar token room liangxiang-1 --qr room.png --data /srv/tongtang
    """
    from hub.schedule.calendars.addresses import calendar_address, webcal  # noqa: PLC0415  --help does not need it

    if qr_out is not None:
        _kind_of_picture(qr_out)
    with _desk(config, data, url) as desk:
        if is_loopback(urlsplit(desk.hub).hostname or ""):
            typer.echo(f"note: {desk.hub} is this machine alone; set url under [http], or say --url", err=True)
        made = desk.subscriptions.make(kind, who, words, desk.by)
        address = calendar_address(desk.hub, made.token)
    if qr_out is not None:
        _write_picture(address, qr_out)
    told = {**_told(made.record), "token": made.token, "address": address, "webcal": webcal(address)}
    said = f"{address}\nrevoke it with: tongtang plan calendar revoke {made.record.id}"
    tell(told, said if qr_out is not None else f"{said}\n{terminal_qr(address)}", as_json=as_json)


@app.command()
def tokens(config: ConfigOption = None, data: DataOption = None, *, as_json: JsonOption = False) -> None:
    """List who may read which calendar, and when they last did. The addresses themselves are kept nowhere.

    Examples:
      tongtang plan calendar tokens --config hub.toml
      tongtang plan calendar tokens --data /srv/tongtang --json
    """
    with _desk(config, data) as desk:
        found = desk.subscriptions.all()
    lines = [_line(one) for one in found] or ["nobody subscribes to a calendar"]
    tell({"tokens": [_told(one) for one in found]}, "\n".join(lines), as_json=as_json)


@app.command()
def revoke(
    token_id: Annotated[str, typer.Argument(metavar="TOKEN", help="Its id, as `tokens` lists it.", show_default=False)],
    config: ConfigOption = None,
    data: DataOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Let an address open nothing any more; programs that have it are told so. Takes effect at once.

    Examples:
      tongtang plan calendar revoke 5f0c9a1e22b3c4d5 --config hub.toml
      tongtang plan calendar revoke 5f0c9a1e22b3c4d5 --data /srv/tongtang --json
    """
    with _desk(config, data) as desk:
        gone = desk.subscriptions.revoke(token_id)
    tell(_told(gone), f"the calendar of {gone.kind} {gone.who} is closed to {gone.words or gone.id}", as_json=as_json)


@app.command()
def qr(
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help="As `token` gave it.", show_default=False)],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="Write it as .svg or .png.", show_default=False)
    ] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Draw the QR code of a calendar's address, to hang up in the room: a phone's camera subscribes.

    Examples:
      tongtang plan calendar qr https://hub.district.example/calendars/tc-....ics
      tongtang plan calendar qr https://hub.district.example/calendars/tc-....ics --out room.png
    """
    if out is None:
        tell({"address": address}, terminal_qr(address), as_json=as_json)
        return
    _kind_of_picture(out)
    _write_picture(address, out)
    tell({"address": address, "file": str(out)}, f"wrote {out}", as_json=as_json)


def _calendar(kind: Kind, who: str, out: Path | None, config: Path | None, data: Path | None, *, as_json: bool) -> None:
    from hub.schedule.calendars.feed import feed  # noqa: PLC0415  loads the calendars, which --help does not need

    with _desk(config, data) as desk:
        desk.subscriptions.expect(kind, who)
        heading, lessons = desk.subscriptions.heading(kind, who), desk.subscriptions.lessons(kind, who)
    if out is not None:
        body = feed(heading, lessons)
        _write(out, body)
    rows = [_lesson(one, kind, who, heading.timezone, heading.language) for one in lessons]
    words = [f"{row['begins'][:16].replace('T', ' ')}  {row['words']}" for row in rows]
    told = f"wrote {out}: {len(rows)} lessons" if out is not None else "\n".join(words) or f"{kind} {who} has no lesson"
    tell({"kind": kind, "who": who, "lessons": rows, **({"file": str(out)} if out else {})}, told, as_json=as_json)


def _write(path: Path, body: bytes) -> None:
    def save(place: Path) -> None:
        place.write_bytes(body)

    written(path, save)


def _lesson(record: "OccurrenceRecord", kind: Kind, who: str, timezone: dt.tzinfo, language: str) -> dict[str, Any]:
    from hub.schedule.calendars.seen import said, seen_by  # noqa: PLC0415

    seen = seen_by(record.occurrence, kind, who)
    off = record.cancelled or not seen.concerned
    begins, ends = (dt.datetime.fromtimestamp(one, timezone).isoformat() for one in (seen.epoch, seen.ends))
    title = f"{said('cancelled', language) if off else ''}{seen.title(language)}"
    return {
        "id": record.occurrence.id,
        "begins": begins,
        "ends": ends,
        "week": record.occurrence.week,
        "title": seen.title(language),
        "where": seen.where(language),
        "cancelled": off,
        "sequence": record.sequence,
        "session": record.session,
        "words": f"{seen.slot.words(language)}  {title}  {seen.where(language)}",
    }


@contextmanager
def _desk(config: Path | None, data: Path | None, url: str = "") -> Iterator["CalendarDesk"]:
    """The calendars of a hub; what is refused ends the command with its words."""
    from hub.schedule.calendars.subscriptions import calendar_desk  # noqa: PLC0415  loads the database

    try:
        with calendar_desk(settings_from(config, data), url) as desk:
            yield desk
    except (HubRefused, StoreRefused) as error:
        raise refused(str(error)) from error


def _kind_of_picture(path: Path) -> str:
    kind = PICTURES.get(path.suffix.lower())
    if kind is None:
        raise refused(f"{path} must end in .svg or .png")
    return kind


def _write_picture(address: str, path: Path) -> None:
    from hub.schedule.calendars.addresses import qr_file  # noqa: PLC0415  draws, which --help does not need

    _write(path, qr_file(address, _kind_of_picture(path)))


def _told(record: "CalendarToken") -> dict[str, Any]:
    return {
        "id": record.id,
        "kind": record.kind,
        "who": record.who,
        "words": record.words,
        "operator": record.operator,
        "made": record.made,
        "revoked": record.revoked,
        "read": record.read,
    }


def _line(record: "CalendarToken") -> str:
    if record.revoked is not None:
        state = f"revoked {_date(record.revoked)}"
    else:
        state = f"read {_date(record.read)}" if record.read is not None else "never read"
    return f"{record.id}  {record.kind:<8}{record.who:<24} {state:<26} {record.words}"


def _date(utc: float) -> str:
    """A moment by this machine's clock, as `plan imports` and the console tell it."""
    return dt.datetime.fromtimestamp(utc, dt.UTC).astimezone().strftime("%Y-%m-%d %H:%M")
