"""`tongtang plan explain`: why a request is not served, and which pins contradict each other."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli_options import JsonOption, refused
from hub.cli_plan_options import (
    DistrictArgument,
    Language,
    LanguageOption,
    both_from,
    district_from,
    said,
    tell,
)
from hub.schedule.errors import ScheduleRefused

if TYPE_CHECKING:
    from hub.schedule.explain.explaining import Explanation

app = typer.Typer()


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
    facts, made = both_from(district, plan)
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


def _pins(district: Path, language: Language, *, as_json: bool) -> None:
    """Tell which pins contradict each other."""
    from hub.schedule.explain.conflict import conflict  # noqa: PLC0415  --help does not need it

    facts = district_from(district)
    try:
        found = conflict(facts)
    except ScheduleRefused as error:
        raise refused(str(error)) from error
    words = f"all {len(facts.pins)} pins can hold" if found is None else said(found.words, language)
    tell({"conflict": found and found.model_dump(mode="json")}, words, as_json=as_json)
    if found is not None:
        raise typer.Exit(1)


def _explained(one: "Explanation", language: Language) -> list[str]:
    lines = [f"{one.request}  {said(one.words, language)}"]
    lines += [f"    {said(reason.words, language)}" for reason in one.reasons]
    if one.fix is not None:
        lines.append(f"  > {said(one.fix.words, language)}")
    elif one.no_fix is not None:
        lines.append(f"  - {said(one.no_fix, language)}")
    return lines
