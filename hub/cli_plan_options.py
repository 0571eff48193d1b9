"""What every command of `tongtang plan` is told, and how it answers."""

import json
import os
import shutil
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli_options import refused
from hub.schedule.errors import ScheduleRefused

if TYPE_CHECKING:
    from hub.schedule.district import District
    from hub.schedule.plan import Plan, Score
    from hub.schedule.words import Words


class Language(StrEnum):
    """In which language the plan's people are told."""

    ZH = "zh"
    EN = "en"


DistrictArgument = Annotated[Path, typer.Argument(metavar="DISTRICT", help="The district's file.", show_default=False)]
PlanArgument = Annotated[Path, typer.Argument(metavar="PLAN", help="The plan's file.", show_default=False)]
OutOption = Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="Where to write it.", show_default=False)]
SeedOption = Annotated[int, typer.Option("--seed", min=0, max=2**31 - 1, help="Another number draws otherwise.")]
BeforeOption = Annotated[
    Path | None,
    typer.Option("--before", metavar="PLAN", help="The plan so far: changes to it cost points.", show_default=False),
]

LanguageOption = Annotated[Language, typer.Option("--language", "-l", help="Words in Chinese or in English.")]


def district_from(path: Path) -> "District":
    """A district from its file.

    Raises:
        typer.Exit: it cannot be used; told on stderr.
    """
    from hub.schedule.district import District  # noqa: PLC0415  --help does not need it

    try:
        return District.load(path)
    except ScheduleRefused as error:
        raise refused(str(error)) from error


def plan_from(path: Path | None) -> "Plan | None":
    """A plan from its file; None where no file is named.

    Raises:
        typer.Exit: it cannot be used; told on stderr.
    """
    from hub.schedule.plan import Plan  # noqa: PLC0415  --help does not need it

    if path is None:
        return None
    try:
        return Plan.load(path)
    except ScheduleRefused as error:
        raise refused(str(error)) from error


def both_from(district: Path, plan: Path) -> tuple["District", "Plan"]:
    """Both files; a plan that breaks rules can be neither explained nor repaired.

    Raises:
        typer.Exit: one cannot be used, or the plan breaks rules; told on stderr.
    """
    from hub.schedule.check import check  # noqa: PLC0415  --help does not need it

    facts, made = district_from(district), plan_from(plan)
    assert made is not None  # noqa: S101  a plan was named
    broken = check(facts, made).violations
    if broken:
        raise refused(f"{plan} breaks rules of {district} ({len(broken)} times): {broken[0]}")
    return facts, made


def said(words: "Words", language: Language) -> str:
    """What was said in both languages, in one."""
    return words.zh if language is Language.ZH else words.en


def writable(path: Path) -> None:
    """See that a file can be written before the work is done that it is to hold.

    Raises:
        typer.Exit: it cannot; told on stderr.
    """
    if path.is_dir():
        raise refused(f"{path} cannot be written: it is a folder")
    if not path.parent.is_dir():
        raise refused(f"{path} cannot be written: {path.parent} is no folder")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise refused(f"{path} cannot be written: permission denied")


def written(path: Path, save: Callable[[Path], None]) -> None:
    """Write a file, whole or not at all: until it is, what was there stays.

    Raises:
        typer.Exit: it cannot be written; told on stderr.
    """
    try:
        _replaced(path.resolve(), save)
    except OSError as error:
        raise refused(f"{path} cannot be written: {error.strerror}") from error


def _replaced(path: Path, save: Callable[[Path], None]) -> None:
    if path.exists() and not path.is_file():
        save(path)  # such as /dev/null: nothing takes its place
        return
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        save(part)
        if path.exists():
            shutil.copymode(path, part)
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def tell(told: dict[str, Any], words: str, *, as_json: bool) -> None:
    """Answer, in words or for programs."""
    typer.echo(json.dumps(told, ensure_ascii=False, indent=1) if as_json else words)


def worth(district: "District", plan: "Plan", score: "Score") -> dict[str, Any]:
    """What a plan is worth, for programs; bound and gap are the plan's own."""
    settled = plan.model_copy(update={"score": score})
    return {
        "served": len(plan.served),
        "requests": len(district.requests),
        "held": len(plan.held),
        "score": {**score.model_dump(), "total": score.total},
        "bound": plan.bound,
        "gap": settled.gap,
        "proof": plan.proof,
    }


def worth_words(told: dict[str, Any]) -> str:
    """The same in words, a line each."""
    lines = [f"{told['served']} of {told['requests']} requests are served, by {told['held']} lessons"]
    lines += [f"  {goal:<10}{points:>12,}" for goal, points in told["score"].items()]
    if told["bound"] is not None:
        below = "" if told["gap"] is None else f"; the plan lies {told['gap']:.2%} below it"
        lines.append(
            f"  {'bound':<10}{told['bound']:>12,.0f}{below}" + (f" ({told['proof']})" if told["proof"] else "")
        )
    return "\n".join(lines)
