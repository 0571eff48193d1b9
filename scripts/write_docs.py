"""Write docs/settings.md, docs/commands.md and docs/asyncapi.json from settings, command line and contract.

`python scripts/write_docs.py` writes; `--check` only compares and exits 1 where a page is old.
"""

import argparse
import json
import re
import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any, get_args

import typer
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

import tongtang
from agent.settings import AgentSettings
from contract import asyncapi
from hub.settings import HubSettings

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
MADE = "*Written from the code by `make docs`; change the code, not this page.*"
BOUNDS = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}


def settings_page() -> str:
    """Every setting of both roles, with its default, bounds and meaning."""
    lines = [
        "# Settings",
        "",
        MADE,
        "",
        "One TOML file a role. A key that is not listed here is refused, with the nearest right name.",
        "Examples lie in `configs/`.",
    ]
    for title, model in (("The room: `agent.toml`", AgentSettings), ("The hub: `hub.toml`", HubSettings)):
        lines += ["", f"## {title}", *_tables(model, "")]
    return "\n".join(lines) + "\n"


def _tables(model: type[BaseModel], name: str) -> Iterator[str]:
    plain = {key: field for key, field in model.model_fields.items() if _inner(field) is None}
    inner = {key: table for key, field in model.model_fields.items() if (table := _inner(field)) is not None}
    if name:
        yield ""
        yield f"### `[{name}]`"
        yield ""
        yield " ".join((model.__doc__ or "").split())
    if plain:
        yield ""
        yield "| key | default | bounds | meaning |"
        yield "|---|---|---|---|"
    for key, field in plain.items():
        yield f"| `{key}` | {_default(field)} | {_bounds(field)} | {_cell(field.description or '')} |"
    for key, table in inner.items():
        yield from _tables(table, f"{name}.{key}" if name else key)


def _inner(field: FieldInfo) -> type[BaseModel] | None:
    found = [field.annotation, *get_args(field.annotation)]
    return next((one for one in found if isinstance(one, type) and issubclass(one, BaseModel)), None)


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value: Any = field.get_default(call_default_factory=True)
    if value is None or value is PydanticUndefined or value == "":
        return "none"
    shown = value.as_posix() if isinstance(value, Path) else value
    return f"`{json.dumps(shown, ensure_ascii=False)}`"


def _bounds(field: FieldInfo) -> str:
    said = [
        f"{words} {getattr(one, key):,}"
        for one in field.metadata
        for key, words in BOUNDS.items()
        if getattr(one, key, None) is not None
    ]
    choices = [str(one) for one in get_args(field.annotation) if isinstance(one, str)]
    return ", ".join(said) or " or ".join(f"`{one}`" for one in choices)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def commands_page() -> str:
    """Every command with its arguments, as `tongtang ... --help` tells it."""
    tongtang._mount()  # noqa: SLF001 - the front door mounts its parts only when it is opened
    root = typer.main.get_command(tongtang.app)
    lines = ["# Commands", "", MADE, "", "`tongtang COMMAND --help` says the same on the terminal."]
    for path, command in _commands(root, "tongtang"):
        lines += ["", f"{'#' * min(4, len(path.split()))} `{path}`", "", *_text(command.help)]
        rows = list(_parameters(command))
        if rows:
            lines += ["", "| argument | default | meaning |", "|---|---|---|", *rows]
    return "\n".join(lines).rstrip() + "\n"


def _commands(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    if path != "tongtang":
        yield path, command
    for name, inner in getattr(command, "commands", {}).items():
        if not inner.hidden:
            yield from _commands(inner, f"{path} {name}")


def _text(text: str | None) -> Iterator[str]:
    """Paragraphs of a help text; lines that are set in stand as code, in one block also with a blank line between."""
    lines = re.sub(r"(?m)(^  .*\n)\s*\n(?=  )", r"\1", (text or "").replace("\b", "").strip()).splitlines()
    for is_code, block in groupby(lines, key=lambda line: line.startswith("  ")):
        if is_code:
            yield from ("```", *(line.strip() for line in block), "```")
            continue
        for is_blank, words in groupby(block, key=lambda line: not line.strip()):
            yield "" if is_blank else " ".join(word.strip() for word in words)


def _parameters(command: Any) -> Iterator[str]:
    for one in command.params:
        if one.name == "help" or one.hidden:
            continue
        names = (
            [*one.opts, *one.secondary_opts] if one.param_type_name == "option" else [one.metavar or one.name.upper()]
        )
        shown = "required" if one.required else _told(one.default)
        yield f"| {', '.join(f'`{name}`' for name in names)} | {shown} | {_cell(one.help or '')} |"


def _told(default: Any) -> str:
    return "" if default in (None, False, "", ()) or callable(default) else f"`{default}`"


def asyncapi_page() -> str:
    """What agent and hub say to each other over MQTT, as AsyncAPI."""
    return json.dumps(asyncapi.document(), indent=1, ensure_ascii=False) + "\n"


PAGES = {"settings.md": settings_page, "commands.md": commands_page, "asyncapi.json": asyncapi_page}


def old_pages() -> list[str]:
    """Names of the pages that are not what the code would write now."""
    return [
        name
        for name, page in PAGES.items()
        if not (DOCS / name).exists() or (DOCS / name).read_text(encoding="utf-8") != page()
    ]


def main() -> int:
    """Write the pages, or compare them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="only compare; exit 1 where a page is old")
    if parser.parse_args().check:
        old = old_pages()
        for name in old:
            sys.stderr.write(f"docs/{name} is old; run: make docs\n")
        return 1 if old else 0
    for name, page in PAGES.items():
        (DOCS / name).write_text(page(), encoding="utf-8")
        sys.stdout.write(f"wrote docs/{name}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
