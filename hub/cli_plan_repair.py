"""`tongtang plan explain` and `tongtang plan replan`: why a request is not served, and what to do when life happens."""

import re
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli_options import JsonOption, refused
from hub.cli_plan_options import DistrictArgument, PlanArgument, district_from, plan_from, tell, written
from hub.schedule.errors import ScheduleRefused

if TYPE_CHECKING:
    from hub.schedule.district import District
    from hub.schedule.explain.explaining import Explanation
    from hub.schedule.plan import Plan
    from hub.schedule.repair.alternative import Alternative
    from hub.schedule.repair.disruption import Disruption
    from hub.schedule.repair.names import Words
    from hub.schedule.repair.world import Fixed

app = typer.Typer()


class Language(StrEnum):
    """In which language the plan's people are told."""

    ZH = "zh"
    EN = "en"


class Week(StrEnum):
    """Which kind of week."""

    A = "A"
    B = "B"


LanguageOption = Annotated[Language, typer.Option("--language", "-l", help="Words in Chinese or in English.")]
WHAT = "What happened (one of these)"
WHEN = "When"


@app.command()
def explain(
    district: DistrictArgument,
    plan: Annotated[
        Path | None,
        typer.Argument(metavar="PLAN", help="The plan's file; none: whether all pins can hold.", show_default=False),
    ] = None,
    request: Annotated[
        list[str] | None,
        typer.Option("--request", metavar="ID", help="Only this request; may be given again.", show_default=False),
    ] = None,
    language: LanguageOption = Language.EN,
    *,
    as_json: JsonOption = False,
) -> None:
    """Explain each request that is not served: what is in the way, with names, and the smallest change that serves it.

    Each change was tried: with it the request is served, everybody else stays as they are, and the plan passes the
    check. Without a plan: which pins contradict each other, no more of them than do, and why; ends with 1 then.

    Examples:
      tongtang plan explain district.json
      tongtang plan explain district.json plan.json
      tongtang plan explain district.json plan.json --request q00012 --language zh
      tongtang plan explain district.json plan.json --json
    """
    from hub.schedule.explain.explaining import explain as look  # noqa: PLC0415  --help does not need it

    if plan is None:
        _pins(district, language, as_json=as_json)
        return
    facts, made = _held(district, plan)
    unknown = sorted(set(request or ()) - {one.id for one in facts.requests})
    if unknown:
        raise refused(f"there is no request {unknown[0]} in {district}")
    found = look(facts, made, request or None)
    served = sorted(set(request or ()) & {one.request for one in made.served})
    words = [f"{one} is served" for one in served]
    for one in found:
        words += _explained(one, language)
    if not request:
        fixed = sum(one.fix is not None for one in found)
        words.append(f"{len(found)} requests are not served; a small change that was tried serves {fixed} of them")
    tell({"explanations": [one.model_dump(mode="json") for one in found]}, "\n".join(words), as_json=as_json)


@app.command()
def replan(
    district: DistrictArgument,
    plan: PlanArgument,
    sick: Annotated[
        str | None,
        typer.Option("--sick", metavar="TEACHER", help="A teacher is away.", show_default=False, rich_help_panel=WHAT),
    ] = None,
    room_down: Annotated[
        str | None,
        typer.Option("--room-down", metavar="ROOM", help="A room fails.", show_default=False, rich_help_panel=WHAT),
    ] = None,
    swap: Annotated[
        str | None,
        typer.Option(
            "--swap",
            metavar="CLASS",
            help="Two slots of a class change places: --slot and --with. Without --with it is away then.",
            show_default=False,
            rich_help_panel=WHAT,
        ),
    ] = None,
    substitute: Annotated[
        str | None,
        typer.Option(
            "--substitute",
            metavar="TEACHER",
            help="A teacher takes a lesson (--lesson) or an assistant's place (--request).",
            show_default=False,
            rich_help_panel=WHAT,
        ),
    ] = None,
    uplink_halved: Annotated[
        str | None,
        typer.Option(
            "--uplink-halved",
            metavar="SCHOOL",
            help="A school's line carries half.",
            show_default=False,
            rich_help_panel=WHAT,
        ),
    ] = None,
    closed: Annotated[
        str | None,
        typer.Option("--closed", metavar="SCHOOL", help="A school closes.", show_default=False, rich_help_panel=WHAT),
    ] = None,
    extended: Annotated[
        str | None,
        typer.Option(
            "--extended",
            metavar="LESSON",
            help="A lesson runs on, for --minutes after its bell.",
            show_default=False,
            rich_help_panel=WHAT,
        ),
    ] = None,
    day: Annotated[
        list[int] | None,
        typer.Option(
            "--day",
            min=1,
            max=7,
            help="Day, Monday is 1; may be given again.",
            show_default=False,
            rich_help_panel=WHEN,
        ),
    ] = None,
    periods: Annotated[
        str, typer.Option("--periods", metavar="FIRST-LAST", help="Of the school's own bells.", rich_help_panel=WHEN)
    ] = "1-20",
    slot: Annotated[
        str | None,
        typer.Option("--slot", metavar="DAY.PERIOD", help="For --swap.", show_default=False, rich_help_panel=WHEN),
    ] = None,
    other: Annotated[
        str | None,
        typer.Option("--with", metavar="DAY.PERIOD", help="For --swap.", show_default=False, rich_help_panel=WHEN),
    ] = None,
    minutes: Annotated[
        int, typer.Option("--minutes", min=1, max=120, help="For --extended.", rich_help_panel=WHEN)
    ] = 20,
    week: Annotated[
        Week | None,
        typer.Option(
            "--week",
            help="In one week alone: A if it is odd, B if it is even. The plan is then for that week.",
            show_default=False,
            rich_help_panel=WHEN,
        ),
    ] = None,
    lesson: Annotated[
        str | None, typer.Option("--lesson", metavar="LESSON", help="For --substitute.", show_default=False)
    ] = None,
    request: Annotated[
        str | None, typer.Option("--request", metavar="REQUEST", help="For --substitute.", show_default=False)
    ] = None,
    fixed: Annotated[
        list[str] | None,
        typer.Option(
            "--fixed",
            metavar="ID",
            help="A lesson or request that must not move; may be given again.",
            show_default=False,
        ),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option(
            "--now",
            metavar="DAY.HH:MM",
            help="Whatever begins before it is over or running: it stays, and nothing is put there.",
            show_default=False,
        ),
    ] = None,
    most_moved: Annotated[
        int, typer.Option("--most-moved", min=0, max=50, help="Sessions that were not hit and may move, at most.")
    ] = 3,
    take: Annotated[int, typer.Option("--take", min=1, max=4, help="Which of the ways out is written.")] = 1,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="PLAN", help="Write its plan.", show_default=False)
    ] = None,
    facts_out: Annotated[
        Path | None,
        typer.Option("--district-out", metavar="FILE", help="Write the district that it answers.", show_default=False),
    ] = None,
    language: LanguageOption = Language.EN,
    *,
    as_json: JsonOption = False,
) -> None:
    """Tell the ways out when life happens: what changes for whom, the best first; write the plan of one.

    What was hit is placed where there is room; whoever finds none gets it from at most --most-moved others who move.
    A teacher who is sick may be replaced, a lesson postponed, or all that was hit called off. Pinned lessons stay.
    Every plan that is told has passed the check.

    Examples:
      tongtang plan replan district.json plan.json --sick t-s12-3 --day 3 --week A
      tongtang plan replan district.json plan.json --closed s07 --day 1 --day 2 --language zh
      tongtang plan replan district.json plan.json --swap s16-c7-1 --slot 2.5 --with 4.2 --week B --out week.json
      tongtang plan replan district.json plan.json --substitute t-s12-4 --lesson l0017
      tongtang plan replan district.json plan.json --extended l0017 --minutes 15 --week A --now 3.10:30 --json
    """
    from hub.schedule.repair.replan import facts_of  # noqa: PLC0415  --help does not need it
    from hub.schedule.repair.replan import replan as look  # noqa: PLC0415

    windows = _windows(day, periods)
    told = {
        "teacher-sick": sick and {"teacher": sick, "windows": windows},
        "room-down": room_down and {"room": room_down, "windows": windows},
        "class-swap": swap and {"school_class": swap, "first": _slot(slot), "second": _slot(other) if other else None},
        "substitute": substitute and {"teacher": substitute, "lesson": lesson, "request": request},
        "uplink-halved": uplink_halved and {"school": uplink_halved, "windows": windows},
        "school-closed": closed and {"school": closed, "windows": windows},
        "lesson-extended": extended and {"lesson": extended, "minutes": minutes},
    }
    happened = _happened(told, week.value if week is not None else None)
    facts, made = _held(district, plan)
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


def _held(district: Path, plan: Path) -> tuple["District", "Plan"]:
    """Both files; a plan that breaks rules can be neither explained nor repaired."""
    from hub.schedule.check import check  # noqa: PLC0415  --help does not need it

    facts, made = district_from(district), plan_from(plan)
    assert made is not None  # noqa: S101  a plan was named
    broken = check(facts, made).violations
    if broken:
        raise refused(f"{plan} breaks rules of {district} ({len(broken)} times): {broken[0]}")
    return facts, made


def _pins(district: Path, language: Language, *, as_json: bool) -> None:
    """Tell which pins contradict each other."""
    from hub.schedule.explain.conflict import conflict  # noqa: PLC0415  --help does not need it

    facts = district_from(district)
    try:
        found = conflict(facts)
    except ScheduleRefused as error:
        raise refused(str(error)) from error
    words = f"all {len(facts.pins)} pins can hold" if found is None else _said(found.words, language)
    tell({"conflict": found and found.model_dump(mode="json")}, words, as_json=as_json)
    if found is not None:
        raise typer.Exit(1)


def _happened(told: dict[str, Any], week: str | None) -> "Disruption":
    from pydantic import ValidationError  # noqa: PLC0415  --help does not need it

    from hub.schedule.district import told as mistakes  # noqa: PLC0415
    from hub.schedule.repair.disruption import DISRUPTION  # noqa: PLC0415

    named = [(kind, fields) for kind, fields in told.items() if fields]
    if len(named) != 1:
        raise refused("say what happened, one thing: --sick, --room-down, --swap, --substitute, ...")
    kind, fields = named[0]
    if fields.get("windows") == []:
        raise refused(f"say when: --day 3 (Wednesday) for {kind}")
    try:
        return DISRUPTION.validate_python({"kind": kind, "week": week, **fields})
    except ValidationError as error:
        raise refused(mistakes(error)) from error


def _windows(days: list[int] | None, periods: str) -> list[dict[str, int]]:
    found = re.fullmatch(r"(\d{1,2})(?:-(\d{1,2}))?", periods)
    if found is None:
        raise refused(f"--periods {periods}: say 3, or 2-4")
    first = int(found[1])
    return [{"day": day, "first": first, "last": int(found[2] or first)} for day in days or ()]


def _slot(words: str | None) -> tuple[int, int]:
    found = re.fullmatch(r"([1-7])\.(\d{1,2})", words or "")
    if found is None:
        raise refused(f"{words or '--slot'}: say a slot as DAY.PERIOD, 3.2 for the second period of Wednesday")
    return int(found[1]), int(found[2])


def _fixed(district: "District", named: list[str], until: str | None) -> "Fixed":
    from hub.schedule.repair.world import Fixed, Moment  # noqa: PLC0415  --help does not need it

    lessons = {one.id for one in district.lessons} & set(named)
    requests = {one.id for one in district.requests} & set(named)
    unknown = sorted(set(named) - lessons - requests)
    if unknown:
        raise refused(f"--fixed {unknown[0]}: there is no such lesson or request")
    moment = None
    if until is not None:
        found = re.fullmatch(r"([1-7])\.(([01]\d|2[0-3]):[0-5]\d)", until)
        if found is None:
            raise refused(f"--now {until}: say DAY.HH:MM, 3.10:30 for half past ten on Wednesday")
        moment = Moment(day=int(found[1]), clock=found[2])
    return Fixed(requests=frozenset(requests), lessons=frozenset(lessons), until=moment)


def _said(words: "Words", language: Language) -> str:
    return words.zh if language is Language.ZH else words.en


def _explained(one: "Explanation", language: Language) -> list[str]:
    lines = [f"{one.request}  {_said(one.words, language)}"]
    lines += [f"    {_said(reason.words, language)}" for reason in one.reasons]
    if one.fix is not None:
        lines.append(f"  > {_said(one.fix.words, language)}")
    elif one.no_fix is not None:
        lines.append(f"  - {_said(one.no_fix, language)}")
    return lines


def _told(number: int, way: "Alternative", language: Language) -> list[str]:
    counted = f"{len(way.placed)} placed, {len(way.lost)} lost, {way.sessions_moved} moved, {way.score.total:,} points"
    lines = [f"{number}. {_said(way.words, language)}  ({counted})"]
    lines += [f"    {_said(change.words, language)}" for change in way.changes]
    return lines
