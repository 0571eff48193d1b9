"""`tongtang plan ...`: the week's plan, from files."""

from pathlib import Path
from typing import Annotated

import typer

from hub import cli_plan_bound, cli_plan_calendar, cli_plan_explain, cli_plan_import, cli_plan_repair
from hub.cli_options import JsonOption, refused
from hub.cli_plan_options import (
    BeforeOption,
    DistrictArgument,
    OutOption,
    PlanArgument,
    SeedOption,
    district_from,
    plan_from,
    tell,
    worth,
    worth_words,
    writable,
    written,
)
from hub.cli_plan_solve import solve
from hub.schedule.errors import ScheduleRefused

app = typer.Typer(
    no_args_is_help=True,
    help="""The week's plan: which class follows which lead lesson, when, in which rooms, with whom beside it.

    To see it work: `generate` a district, `solve` it, `check` the plan. docs/planning.md describes the files.""",
)

app.command("solve")(solve)
app.add_typer(cli_plan_bound.app)
app.add_typer(cli_plan_import.app)
app.add_typer(cli_plan_explain.app)
app.add_typer(cli_plan_repair.app)
app.add_typer(cli_plan_calendar.app, name="calendar")


@app.command()
def generate(
    out: OutOption,
    schools: Annotated[int, typer.Option("--schools", min=2, max=5000, help="Schools.")] = 37,
    rooms: Annotated[int, typer.Option("--rooms", min=2, max=50000, help="Dual-teacher rooms in all.")] = 189,
    requests: Annotated[int, typer.Option("--requests", min=1, max=200000, help="Requests of classes.")] = 800,
    seed: SeedOption = 1,
    extras: Annotated[
        float,
        typer.Option(
            "--extras",
            min=0,
            max=1,
            help="Share of everything that the benchmark leaves out: master and open classes, special rooms, seats, "
            "maintenance, closed schools, absences, pins, bans, wishes.",
        ),
    ] = 0.0,
    hidden: Annotated[
        Path | None,
        typer.Option("--planted", metavar="PLAN", help="Also write the plan that is hidden in it.", show_default=False),
    ] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Make up a district: schools, rooms, teachers, classes, lessons and requests, the same for the same seed.

    A plan that serves nine of ten requests is hidden in it, so that it is known what can be had at least. The sizes
    by default are those of one real district; --schools 370 --rooms 1890 --requests 8000 is ten times that.

    Examples:
      tongtang plan generate --out district.json
      tongtang plan generate --schools 12 --rooms 60 --requests 250 --extras 0.2 --seed 7 --out district.json
    """
    from hub.schedule.generate import Extras, planted  # noqa: PLC0415  --help does not need it

    for path in (out, hidden):
        if path is not None:
            writable(path)
    try:
        district, plan = planted(schools, rooms, requests, seed, Extras.every(extras))
    except ScheduleRefused as error:
        raise refused(str(error)) from error
    written(out, district.save)
    if hidden is not None:
        written(hidden, plan.save)
    told = {
        "out": str(out),
        "schools": len(district.schools),
        "rooms": len(district.rooms),
        "teachers": len(district.teachers),
        "classes": len(district.classes),
        "lessons": len(district.lessons),
        "requests": len(district.requests),
        "planted": {"served": len(plan.served), "total": plan.score.total},
    }
    counted = ", ".join(f"{told[kind]} {kind}" for kind in ("schools", "rooms", "classes", "lessons", "requests"))
    words = f"{out}: {counted}; a plan that serves {len(plan.served)} is worth {plan.score.total:,}"
    tell(told, words, as_json=as_json)


@app.command()
def check(
    district: DistrictArgument,
    plan: PlanArgument,
    before: BeforeOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Check a plan: every rule that it breaks, in words, and what it is worth, goal by goal.

    Counts from the two files alone, with code that no solver uses, so it can judge any solver's plan.
    Ends with 1 where a rule is broken.

    Examples:
      tongtang plan check district.json plan.json
      tongtang plan check district.json plan.json --before last-week.json --json
    """
    from hub.schedule.check import check as look  # noqa: PLC0415  --help does not need it

    facts, made = district_from(district), plan_from(plan)
    assert made is not None  # noqa: S101  a plan was named
    found = look(facts, made, plan_from(before))
    told = {"holds": found.holds, "violations": list(found.violations), **worth(facts, made, found.score)}
    lines = [*(f"broken: {one}" for one in found.violations)]
    lines.append(f"the plan breaks rules, {len(found.violations)} times" if found.violations else "the plan holds")
    lines.append(worth_words(told))
    if made.score.total not in {0, found.score.total}:
        lines.append(f"the file itself says {made.score.total:,} points")
    tell(told, "\n".join(lines), as_json=as_json)
    if not found.holds:
        raise typer.Exit(1)
