"""The commands `tongtang models bench` and `tongtang models gate`: what models cost, and what they are good for."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import TypeAdapter, ValidationError
from rich.console import Console

from models.behaviour import Measured
from models.bench import FACE_MODEL
from models.bench import bench as bench_model
from models.gate import judged
from models.manifest import FOLDER_VARIABLE, ModelsTrouble, load_manifest, models_folder
from models.verify import ModelState, state_of

app = typer.Typer()

FolderOption = Annotated[
    Path | None,
    typer.Option("--folder", help=f"Folder of installed models; default: {FOLDER_VARIABLE}, or the user's data."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of words.")]
FIGURES = TypeAdapter(dict[str, Measured])


def _print(text: str, *, error: bool = False) -> None:
    Console(stderr=error, highlight=False, soft_wrap=True).print(text, markup=False)


@app.command("bench")
def bench(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Models; default: all.")] = None,
    runs: Annotated[int, typer.Option("--runs", min=1, max=10_000, help="Runs of each model.")] = 30,
    folder: FolderOption = None,
    face_model: Annotated[
        Path | None,
        typer.Option("--face-model", metavar="FILE", help="Measure this YuNet too: the file of [observe] face_model."),
    ] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Measure how long each installed model takes on this machine, and how much memory.

    One thread, as in a lesson; each model in a process of its own. Exit 1 where a model that is installed cannot
    be tried; one that is not installed is told and left out.
    """
    place = folder or models_folder()
    manifest = load_manifest()
    rows: list[dict[str, Any]] = []
    failed = False
    try:
        chosen = [manifest.find(name) for name in names] if names else list(manifest.model)
    except ModelsTrouble as trouble:
        _print(str(trouble), error=True)
        raise typer.Exit(2) from trouble
    tried = [(model.name, place, state_of(model, place) is ModelState.MISSING) for model in chosen]
    tried += [(FACE_MODEL, face_model, False)] if face_model else []
    for name, where, missing in tried:
        if missing:
            rows.append({"name": name, "why": "not installed; run: tongtang models install"})
        else:
            try:
                rows.append(asdict(bench_model(name, where, runs)))
            except ModelsTrouble as trouble:
                failed = True
                rows.append({"name": name, "why": str(trouble)})
        if not as_json:
            _print(_cost(rows[-1]))
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=2))
    raise typer.Exit(1 if failed else 0)


def _cost(row: dict[str, Any]) -> str:
    if "why" in row:
        return f"{row['name']}: {row['why']}"
    return (
        f"{row['name']}: {row['median_ms']} ms a {row['unit']} (95 % within {row['p95_ms']}, "
        f"{row['cpu_ms']} of processor time), {row['memory_mib']} MiB, opened in {row['load_ms']} ms"
    )


@app.command("gate")
def gate(
    figures: Annotated[
        Path | None,
        typer.Option(
            "--figures",
            metavar="FILE",
            help="Hold these figures against the bars instead of the manifest's: JSON, by the behaviour's name.",
        ),
    ] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Show which behaviours of people are told, and why the others stay hidden.

    A behaviour is told only where its rule was measured well enough on rooms that nobody tuned on. Figures of a
    district's own rooms can be tried with --figures; they change nothing.
    """
    others = _figures(figures) if figures else {}
    verdicts = [judged(one, others.get(one.name)) for one in load_manifest().behaviour]
    if as_json:
        rows = [
            {
                "name": one.name,
                "told": one.passes,
                "reasons": one.reasons,
                "measured": one.measured.model_dump() if one.measured else None,
            }
            for one in verdicts
        ]
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    for one in verdicts:
        _print(f"{one.name}: {'told' if one.passes else 'hidden'}")
        for reason in one.reasons:
            _print(f"  {reason}")
        if one.measured:
            _print(f"  measured on {one.measured.data}")


def _figures(path: Path) -> dict[str, Measured]:
    try:
        return FIGURES.validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        _print(f"{path} holds no figures that can be read: {error}", error=True)
        raise typer.Exit(2) from error
