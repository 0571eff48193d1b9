"""`tongtang plan import`, and what goes with it: the school's facts in the hub's database."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli_options import ConfigOption, DataOption, JsonOption, refused, settings_from
from hub.cli_plan_options import OutOption, tell, written
from hub.errors import HubRefused
from hub.store.errors import StoreRefused

if TYPE_CHECKING:
    from hub.schedule.imports.proposal import Proposal
    from hub.schedule.imports.reading import Brought
    from hub.settings import HubSettings
    from hub.store.plan_facts import PlanFactTable

app = typer.Typer()

SHOWN_MOST = 30
"""Changes, mistakes and misfits of which a person is told line by line; a program is told all."""

LanguageOption = Annotated[
    str, typer.Option("--language", help="zh or en; by default that of the hub's settings.", show_default=False)
]
OPERATOR = "command line"


@app.command("import")
def import_files(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Files, or a folder of OneRoster.")],
    kind: Annotated[
        str,
        typer.Option("--as", metavar="KIND", help="What the file is, where it cannot be seen: see docs/planning.md."),
    ] = "",
    school: Annotated[str, typer.Option("--school", metavar="ID", help="School of rows that name none.")] = "",
    config: ConfigOption = None,
    data: DataOption = None,
    language: LanguageOption = "",
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Make the changes; else they are only shown.")] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Also remove facts of the same kinds and schools that the files lack.")
    ] = False,
    skip_bad_rows: Annotated[
        bool, typer.Option("--skip-bad-rows", help="Go on without the rows that have mistakes.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Import the school's facts: workbooks and CSV files like the template's, CSES, iCalendar, OneRoster 1.2 CSV.

    Shows what would change, and every mistake with file, sheet, row and column; with --yes makes the changes, all
    of them or none. Works while the hub runs. `plan undo` takes an import back.

    Ends with 1 where there are mistakes that stand in the way.

    Examples:
      tongtang plan import facts.xlsx --data /srv/tongtang
      tongtang plan import facts.xlsx --data /srv/tongtang --yes
      tongtang plan import class12.yaml --school dongguan --config /etc/tongtang/hub.toml
      tongtang plan import absences.ics --data /srv/tongtang --json
    """
    from hub.schedule.imports.importing import Importing  # noqa: PLC0415  --help does not need it
    from hub.schedule.imports.reading import FORMATS, Wanted  # noqa: PLC0415
    from hub.schedule.imports.showing import shown  # noqa: PLC0415
    from hub.schedule.imports.tables import BY_KEY  # noqa: PLC0415

    if kind and kind not in (*FORMATS, *BY_KEY):
        raise refused(f"--as {kind} is not known; there are: {', '.join((*FORMATS, *BY_KEY))}")
    if replace and skip_bad_rows:
        raise refused("say either --replace or --skip-bad-rows: with both, the facts of bad rows would be removed, too")
    settings = settings_from(config, data)
    brought = [_brought(path) for path in files]
    with _facts(settings) as facts:
        importing = Importing(facts, settings.language)
        proposal = importing.dry_run(brought, Wanted(kind, school, replace, settings.plan.timezone))
        stands = bool(proposal.mistakes) and not skip_bad_rows
        record = None
        if yes and not stands:
            record = importing.apply(proposal, OPERATOR, time.time(), skip_bad_rows=skip_bad_rows, replaced=replace)
    spoken = language or settings.language
    if as_json:
        told = {"applied": record.id if record else None, **shown(proposal, spoken)}
        typer.echo(json.dumps(told, ensure_ascii=False, indent=1))
    else:
        typer.echo("\n".join(_proposal_lines(proposal, spoken)))
        typer.echo(_outcome(proposal, record.id if record else None, yes=yes, stands=stands))
    if stands:
        raise typer.Exit(1)


@app.command()
def imports(config: ConfigOption = None, data: DataOption = None, *, as_json: JsonOption = False) -> None:
    """List what was imported, the newest first, with what it changed.

    Examples:
      tongtang plan imports --data /srv/tongtang
    """
    with _facts(settings_from(config, data)) as facts:
        found = facts.imports()
    if as_json:
        rows = [{name: getattr(one, name) for name in _IMPORT_FIELDS} for one in found]
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=1))
        return
    for one in found:
        made = time.strftime("%Y-%m-%d %H:%M", time.localtime(one.made))
        undone = " (undone)" if one.undone is not None else ""
        typer.echo(f"{one.id}  {made}  {one.operator:<14} {one.source}: {one.words}{undone}")
    if not found:
        typer.echo("nothing was imported yet")


@app.command()
def undo(
    import_id: Annotated[str, typer.Argument(metavar="ID", help="The import's id, see `plan imports`.")],
    config: ConfigOption = None,
    data: DataOption = None,
    language: LanguageOption = "",
    *,
    as_json: JsonOption = False,
) -> None:
    """Take an import back: every fact that it touched becomes what it was before.

    Refused where later imports changed the same facts: those are undone first. The undoing is an import of its own;
    undoing that one makes the changes again.

    Examples:
      tongtang plan undo i-000012 --data /srv/tongtang
    """
    from hub.schedule.imports.saying import why_not  # noqa: PLC0415  --help does not need it
    from hub.store.plan_facts import UndoRefused  # noqa: PLC0415

    settings = settings_from(config, data)
    with _facts(settings) as facts:
        try:
            record = facts.undo(import_id, OPERATOR, time.time())
        except UndoRefused as error:
            raise refused(why_not(error).told(language or settings.language)) from error
    tell({"undone": import_id, "import": record.id}, f"{record.id} {record.words}", as_json=as_json)


@app.command("facts")
def show_facts(
    kind: Annotated[str, typer.Argument(metavar="[KIND]", help="Of one kind; without: how many of each.")] = "",
    config: ConfigOption = None,
    data: DataOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Show what the planner knows.

    Examples:
      tongtang plan facts --data /srv/tongtang
      tongtang plan facts teacher --data /srv/tongtang --json
    """
    from hub.schedule.register.kinds import Kind  # noqa: PLC0415  --help does not need it

    if kind and kind not in set(Kind):
        raise refused(f"there is no kind {kind}; there are: {', '.join(Kind)}")
    with _facts(settings_from(config, data)) as facts:
        counts = facts.counts()
        found = facts.all(kind) if kind else []
    if not kind:
        lines = "\n".join(f"{one:<12}{counts[one]:>8}" for one in Kind if one in counts) or "nothing is known yet"
        tell(dict(counts), lines, as_json=as_json)
        return
    if as_json:
        typer.echo(json.dumps([json.loads(one.data) for one in found], ensure_ascii=False, indent=1))
        return
    for one in found:
        typer.echo(one.data)


@app.command()
def district(
    term: Annotated[str, typer.Option("--term", metavar="T", help="The term's id.", show_default=False)],
    week: Annotated[int, typer.Option("--week", metavar="N", min=1, help="Teaching week.", show_default=False)],
    out: OutOption,
    config: ConfigOption = None,
    data: DataOption = None,
    language: LanguageOption = "",
    *,
    lasting: Annotated[
        bool, typer.Option("--lasting", help="For a plan of many weeks: without what lies on dates.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Write the planning problem of one week, as `plan solve` takes it; what does not fit is told.

    Examples:
      tongtang plan district --term 2026-autumn --week 12 --out district.json --data /srv/tongtang
    """
    from hub.schedule.register.assembling import district_of  # noqa: PLC0415  --help does not need it
    from hub.schedule.register.register import Register  # noqa: PLC0415
    from hub.schedule.terms import Term  # noqa: PLC0415

    settings = settings_from(config, data)
    with _facts(settings) as facts:
        register = Register.read(facts.everything())
    terms = register.all(Term)
    if term not in terms:
        raise refused(f"there is no term {term}; there are: {', '.join(terms) or 'none yet, import one'}")
    try:
        made = district_of(register, terms[term], week, dated=not lasting)
    except ValueError as error:
        raise refused(str(error)) from error
    written(out, made.district.save)
    misfits = [one.told(language or settings.language) for one in made.misfits]
    counted = f"{len(made.district.schools)} schools, {len(made.district.rooms)} rooms"
    asked = f"{len(made.district.lessons)} lessons, {len(made.district.requests)} requests"
    lines = [*_few(misfits), f"{out}: {counted}, {asked}; {len(misfits)} things did not fit"]
    tell({"out": str(out), "misfits": misfits}, "\n".join(lines), as_json=as_json)


@app.command()
def template(
    out: OutOption,
    language: Annotated[str, typer.Option("--language", help="Of the headers: zh or en.")] = "zh",
    *,
    as_json: JsonOption = False,
) -> None:
    """Write the empty workbook that schools fill in, with explanations and one example row a sheet.

    Examples:
      tongtang plan template --out facts.xlsx
    """
    from hub.schedule.imports.template import save_template  # noqa: PLC0415  --help does not need it
    from hub.schedule.register.words import LANGUAGES  # noqa: PLC0415

    if language not in LANGUAGES:
        raise refused(f"--language {language} is not known; there are: {', '.join(LANGUAGES)}")
    if out.suffix != ".xlsx":
        raise refused(f"{out} is no .xlsx; a workbook is written")
    written(out, lambda path: save_template(path, language))
    tell({"out": str(out)}, f"{out}: fill it in, then: tongtang plan import {out}", as_json=as_json)


_IMPORT_FIELDS = ("id", "made", "operator", "source", "format", "words", "undone")


@contextmanager
def _facts(settings: "HubSettings") -> Iterator["PlanFactTable"]:
    """The facts of the hub's database, also while the hub runs; refusals end the command."""
    from hub.founding import hub_key  # noqa: PLC0415  loads the database, which --help does not need
    from hub.store.store import Store  # noqa: PLC0415

    try:
        hub_key(settings.data)  # refuses a folder without a hub
        store = Store.open(settings.database_url)
        try:
            yield store.plan_facts
        finally:
            store.close()
    except (HubRefused, StoreRefused) as error:
        raise refused(str(error)) from error


def _brought(path: Path) -> "Brought":
    from hub.schedule.imports.reading import Brought  # noqa: PLC0415  --help does not need it
    from hub.schedule.imports.sheets import MOST_FILE_BYTES  # noqa: PLC0415

    def data_of(file: Path) -> bytes:
        if file.stat().st_size > MOST_FILE_BYTES:
            raise refused(f"{file} is larger than {MOST_FILE_BYTES >> 20} MiB")
        return file.read_bytes()

    try:
        if path.is_dir():
            return Brought(path.name, b"", {one.name: data_of(one) for one in sorted(path.glob("*.csv"))})
        return Brought(path.name, data_of(path))
    except OSError as error:
        raise refused(f"{path} cannot be read: {error.strerror}") from error


def _proposal_lines(proposal: "Proposal", language: str) -> Iterator[str]:
    from hub.schedule.imports.importing import summary  # noqa: PLC0415  --help does not need it
    from hub.schedule.imports.showing import change_line  # noqa: PLC0415

    yield from _few([change_line(one, language) for one in proposal.changes])
    yield from _few([f"note: {one.told(language)}" for one in proposal.notes])
    yield from _few([f"mistake: {one.told(language)}" for one in proposal.mistakes])
    told = summary(proposal.counts(), language) or "nothing"
    yield f"{proposal.rows} rows: {told} to change, {proposal.same} as they are, {len(proposal.mistakes)} mistakes"


def _few(lines: list[str]) -> list[str]:
    if len(lines) <= SHOWN_MOST:
        return lines
    return [*lines[:SHOWN_MOST], f"... and {len(lines) - SHOWN_MOST} more; --json tells all"]


def _outcome(proposal: "Proposal", applied: str | None, *, yes: bool, stands: bool) -> str:
    if applied is not None:
        return f"done as {applied}; to take it back: tongtang plan undo {applied}"
    if stands:
        return "nothing was changed: mend the mistakes, or go on without those rows with --skip-bad-rows"
    if not proposal.changes:
        return "nothing to change"
    return "nothing to change" if yes else "nothing was changed yet; to make it so, say it again with --yes"
