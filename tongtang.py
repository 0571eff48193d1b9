"""The front door: one command, `tongtang`, that mounts the commands of all parts and holds `demo`."""

import importlib
import logging
import os
import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer

from swarm.command import swarm

app = typer.Typer(
    name="tongtang",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="""同堂 Tongtang: two rooms, one lesson.

    Turns ordinary classroom screens into dual-teacher rooms. `tongtang demo` shows all of it on one machine.""",
)

MOUNTED = (
    ("agent", "agent.cli", "app", "agent", "One classroom: run the service, check it, list its sources."),
    ("hub", "hub.cli", "app", "hub", "One district: set up, run and check the hub."),
    ("plan", "hub.cli_plan", "app", "hub", "The week's plan: import facts, solve, check, explain, repair; calendars."),
    ("models", "models.cli", "app", "agent", "On-device models: install, list and verify."),
)
"""Command, module, its Typer, the extra that it needs, and what it is."""


def _missing(extra: str, error: ImportError) -> Callable[..., None]:
    def tell(_arguments: Annotated[list[str] | None, typer.Argument(hidden=True)] = None) -> None:
        typer.echo(f"this part is not installed ({error}); install it with: pip install 'tongtang[{extra}]'", err=True)
        raise typer.Exit(2)

    return tell


def _mount() -> None:
    for name, module, attribute, extra, words in MOUNTED:
        try:
            part: Any = getattr(importlib.import_module(module), attribute)
        except ImportError as error:
            app.command(name, help=words, context_settings={"ignore_unknown_options": True})(_missing(extra, error))
            continue
        app.add_typer(part, name=name, help=words)
    try:
        from demo.command import demo  # noqa: PLC0415 - needs agent and hub; either may be missing
    except ImportError as error:
        app.command("demo", help="Hold a lesson on this machine.")(_missing("agent,hub", error))
    else:
        app.command("demo")(demo)
    app.command("swarm")(swarm)


def main() -> None:
    """Run the command line."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    for noisy in ("httpx", "aioice", "aiortc", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    if os.environ.get("TONGTANG_PARENT"):
        from agent.platform import die_with_parent  # noqa: PLC0415 - only for children of the demonstration

        die_with_parent()
    try:
        _mount()
        app()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
