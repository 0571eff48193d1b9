"""`tongtang plan replan`: the ways out when life happens."""

import re
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli_options import JsonOption, refused
from hub.cli_plan_options import (
    DistrictArgument,
    Language,
    LanguageOption,
    PlanArgument,
    both_from,
    said,
    tell,
    written,
)
from hub.schedule.errors import ScheduleRefused

if TYPE_CHECKING:
    from hub.schedule.district import District
    from hub.schedule.repair.alternative import Alternative
    from hub.schedule.repair.disruption import Disruption
    from hub.schedule.repair.world import Fixed

app = typer.Typer()


class Happened(StrEnum):
    """What can happen; the same words as in files and over HTTP."""

    TEACHER_SICK = "teacher-sick"
    ROOM_DOWN = "room-down"
    CLASS_SWAP = "class-swap"
    SUBSTITUTE = "substitute"
    UPLINK_HALVED = "uplink-halved"
    SCHOOL_CLOSED = "school-closed"
    LESSON_EXTENDED = "lesson-extended"


TAKES = {
    Happened.TEACHER_SICK: ("teacher", {"windows": True}),
    Happened.ROOM_DOWN: ("room", {"windows": True}),
    Happened.CLASS_SWAP: ("school_class", {"first": True, "second": False}),
    Happened.SUBSTITUTE: ("teacher", {"lesson": False, "request": False}),
    Happened.UPLINK_HALVED: ("school", {"windows": True}),
    Happened.SCHOOL_CLOSED: ("school", {"windows": True}),
    Happened.LESSON_EXTENDED: ("lesson", {"minutes": False}),
}
"""To whom it happens, and what else is told of it: whether it has to be."""
OPTIONS = {"windows": "--day", "first": "--slot", "second": "--with"}
"""As what it is told, where the option has another name."""


class Week(StrEnum):
    """Which kind of week."""

    A = "A"
    B = "B"


WHEN = "When it happens, and to what"
WAYS = "The ways out"


def _option(*names: str, panel: str = WHEN, **more: Any) -> Any:
    return typer.Option(*names, show_default=False, rich_help_panel=panel, **more)


HappenedArgument = Annotated[Happened, typer.Argument(metavar="WHAT", help="What happened.", show_default=False)]
WhomArgument = Annotated[
    str,
    typer.Argument(
        metavar="WHOM",
        help="The teacher, room, class, school or lesson; of `substitute`, who steps in.",
        show_default=False,
    ),
]
DayOption = Annotated[list[int] | None, _option("--day", min=1, max=7, help="Day, Monday is 1; may be given again.")]
PeriodsOption = Annotated[
    str, typer.Option("--periods", metavar="FIRST-LAST", help="Of the school's own bells.", rich_help_panel=WHEN)
]
SlotOption = Annotated[str | None, _option("--slot", metavar="DAY.PERIOD", help="For class-swap.")]
WithOption = Annotated[
    str | None,
    _option("--with", metavar="DAY.PERIOD", help="For class-swap: the other slot; without it the class is away."),
]
LessonOption = Annotated[str | None, _option("--lesson", metavar="LESSON", help="For substitute: the lesson, or")]
RequestOption = Annotated[
    str | None, _option("--request", metavar="REQUEST", help="the request whose assistant is replaced.")
]
MinutesOption = Annotated[
    int | None, _option("--minutes", min=1, max=120, help="For lesson-extended: after its bell; 20.")
]
WeekOption = Annotated[
    Week | None,
    _option("--week", help="In one week alone: A if it is odd, B if it is even. The plan is then for that week."),
]
FixedOption = Annotated[
    list[str] | None,
    _option("--fixed", panel=WAYS, metavar="ID", help="A lesson or request that must not move; may be given again."),
]
NowOption = Annotated[
    str | None,
    _option(
        "--now",
        panel=WAYS,
        metavar="DAY.HH:MM",
        help="Whatever begins before it is over or running: it stays, and nothing is put there.",
    ),
]
MostMovedOption = Annotated[
    int,
    typer.Option(
        "--most-moved", min=0, max=50, help="Sessions that were not hit and may move, at most.", rich_help_panel=WAYS
    ),
]
TakeOption = Annotated[
    int, typer.Option("--take", min=1, max=4, help="Which of the ways out is written.", rich_help_panel=WAYS)
]
PlanOutOption = Annotated[Path | None, _option("--out", "-o", panel=WAYS, metavar="PLAN", help="Write its plan.")]
FactsOutOption = Annotated[
    Path | None, _option("--district-out", panel=WAYS, metavar="FILE", help="Write the district that it answers.")
]


@app.command()
def replan(
    district: DistrictArgument,
    plan: PlanArgument,
    what: HappenedArgument,
    whom: WhomArgument,
    day: DayOption = None,
    periods: PeriodsOption = "1-20",
    slot: SlotOption = None,
    other: WithOption = None,
    lesson: LessonOption = None,
    request: RequestOption = None,
    minutes: MinutesOption = None,
    week: WeekOption = None,
    fixed: FixedOption = None,
    until: NowOption = None,
    most_moved: MostMovedOption = 3,
    take: TakeOption = 1,
    out: PlanOutOption = None,
    facts_out: FactsOutOption = None,
    language: LanguageOption = Language.EN,
    *,
    as_json: JsonOption = False,
) -> None:
    """Tell the ways out when life happens: what changes for whom, the best first; write the plan of one.

    WHAT is teacher-sick, room-down, uplink-halved or school-closed (with --day), class-swap (--slot, --with),
    substitute (--lesson or --request) or lesson-extended (--minutes).

    What was hit is placed where there is room; whoever finds none gets it from at most --most-moved others who move.
    A teacher who is sick may be replaced, a lesson postponed, or all that was hit called off. Pinned lessons stay.
    Every plan that is told has passed the check.

    Examples:
      tongtang plan replan district.json plan.json teacher-sick t-s12-3 --day 3 --week A
      tongtang plan replan district.json plan.json school-closed s07 --day 1 --day 2 --language zh
      tongtang plan replan district.json plan.json class-swap s16-c7-1 --slot 2.5 --with 4.2 --week B --out week.json
      tongtang plan replan district.json plan.json substitute t-s12-4 --lesson l0017
      tongtang plan replan district.json plan.json lesson-extended l0017 --minutes 15 --week A --now 3.10:30 --json
    """
    from hub.schedule.repair.replan import facts_of  # noqa: PLC0415  --help does not need it
    from hub.schedule.repair.replan import replan as look  # noqa: PLC0415

    given = {
        "windows": _windows(day, periods) or None,
        "first": _slot(slot) if slot is not None else None,
        "second": _slot(other) if other is not None else None,
        "lesson": lesson,
        "request": request,
        "minutes": minutes,
    }
    happened = _happened(what, whom, week, {name: value for name, value in given.items() if value is not None})
    facts, made = both_from(district, plan)
    try:
        ways = look(facts, made, happened, fixed=_fixed(facts, fixed or [], until), most_moved=most_moved)
    except ScheduleRefused as error:
        raise refused(str(error)) from error
    if take > len(ways) and (out is not None or facts_out is not None):
        raise refused(f"there are {len(ways)} ways out; --take {take} is none of them")
    if out is not None:
        written(out, ways[take - 1].plan.save)
    if facts_out is not None:
        written(facts_out, facts_of(facts, made, ways[take - 1]).save)
    words = [line for number, way in enumerate(ways, start=1) for line in _told(number, way, language)]
    if out is not None:
        words.append(f"{out}: the plan of way {take}")
    tell({"alternatives": [one.model_dump(mode="json") for one in ways]}, "\n".join(words), as_json=as_json)


def _happened(what: Happened, whom: str, week: Week | None, given: dict[str, Any]) -> "Disruption":
    from pydantic import ValidationError  # noqa: PLC0415  --help does not need it

    from hub.schedule.district import told as mistakes  # noqa: PLC0415
    from hub.schedule.repair.disruption import DISRUPTION  # noqa: PLC0415

    field, takes = TAKES[what]
    for name in sorted(takes.keys() | given.keys()):
        option = OPTIONS.get(name, f"--{name}")
        if name not in takes:
            raise refused(f"{what} takes no {option}")
        if takes[name] and name not in given:
            raise refused(f"say when: {what} needs {option}")
    try:
        return DISRUPTION.validate_python({"kind": what.value, "week": week and week.value, field: whom, **given})
    except ValidationError as error:
        raise refused(mistakes(error)) from error


def _windows(days: list[int] | None, periods: str) -> list[dict[str, int]]:
    found = re.fullmatch(r"(\d{1,2})(?:-(\d{1,2}))?", periods)
    if found is None:
        raise refused(f"--periods {periods}: say 3, or 2-4")
    first = int(found[1])
    return [{"day": day, "first": first, "last": int(found[2] or first)} for day in days or ()]


def _slot(words: str) -> tuple[int, int]:
    found = re.fullmatch(r"([1-7])\.(\d{1,2})", words)
    if found is None:
        raise refused(f"{words}: say a slot as DAY.PERIOD, 3.2 for the second period of Wednesday")
    return int(found[1]), int(found[2])


def _fixed(district: "District", named: list[str], until: str | None) -> "Fixed":
    from hub.schedule.repair.world import Fixed, week_until  # noqa: PLC0415  --help does not need it

    lessons = {one.id for one in district.lessons} & set(named)
    requests = {one.id for one in district.requests} & set(named)
    unknown = sorted(set(named) - lessons - requests)
    if unknown:
        raise refused(f"--fixed {unknown[0]}: there is no such lesson or request")
    over: Mapping[int, str] = {}
    if until is not None:
        found = re.fullmatch(r"([1-7])\.(([01]\d|2[0-3]):[0-5]\d)", until)
        if found is None:
            raise refused(f"--now {until}: say DAY.HH:MM, 3.10:30 for half past ten on Wednesday")
        over = week_until(int(found[1]), found[2])
    return Fixed(requests=frozenset(requests), lessons=frozenset(lessons), until=over)


def _told(number: int, way: "Alternative", language: Language) -> list[str]:
    counted = f"{len(way.placed)} placed, {len(way.lost)} lost, {way.sessions_moved} moved, {way.score.total:,} points"
    lines = [f"{number}. {said(way.words, language)}  ({counted})"]
    lines += [f"    {said(change.words, language)}" for change in way.changes]
    return lines
