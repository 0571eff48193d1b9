"""`tongtang demo`."""

import contextlib
import sys
import threading
import webbrowser
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from agent.capture.sources import SourceRefused, parse_source
from agent.identity import IdentityRefused
from demo.conduct import Demo
from demo.hub import HubSilent
from demo.plan import PlanRefused, make_plan
from demo.processes import ChildDied
from demo.show import Show

DEFAULT_S = 60.0
LONGEST_S = 4 * 3600.0
WIDTH = 110
"""Columns where there is no terminal that says how many it has."""


def demo(
    minutes: Annotated[float | None, typer.Option(min=0.05, help="Length of the lesson, in minutes.")] = None,
    seconds: Annotated[float | None, typer.Option(min=3, help="Length of the lesson, in seconds (default 60).")] = None,
    lead: Annotated[str, typer.Option(metavar="SOURCE", help="The lead room's source.")] = "rehearsal",
    receiving: Annotated[str, typer.Option(metavar="SOURCE", help="The receiving rooms' source.")] = "rehearsal",
    rooms: Annotated[int, typer.Option(min=2, max=40, help="Number of rooms, the lead room among them.")] = 2,
    out: Annotated[Path, typer.Option(help="Folder for recordings, logs and summary.json.")] = Path("demo-out"),
    broker: Annotated[str, typer.Option(help="auto, mosquitto, amqtt or mqtt://host:port.")] = "auto",
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Open no browser, and exit at the end.")] = False,  # noqa: FBT002 - a command line option
) -> None:
    """Hold a dual-teacher lesson on this machine: one hub, two or more rooms, real WebRTC.

    Needs no camera, no file and no network. Each room records itself, sends its lesson package
    to the hub, and the hub gives a receipt; at the end a table says what went over the line,
    and OUT/summary.json says the same for programs.

    A SOURCE is one string: rehearsal (the built-in lesson), camera:0, screen:0, file:PATH,
    rtsp://...; sound follows its picture or is named after a plus, as in camera:0+mic:default
    or rehearsal+file:speech.flac. `tongtang agent sources` lists what this machine has.

    Exit code 0 only if the lesson was whole: every room saw and heard its counterpart, every
    recording is as long as the lesson, every receipt came, and no telemetry was lost or stored
    twice. Ctrl-C ends the lesson properly and keeps what was recorded.

    Examples:
      tongtang demo

      tongtang demo --seconds 20 --rooms 3 --no-browser --out out

      tongtang demo --lead camera:0+mic:default --minutes 5
    """
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDTH)
    show = Show(console)
    if minutes is not None and seconds is not None:
        raise typer.BadParameter("give --minutes or --seconds, not both")
    length_s = seconds if seconds is not None else minutes * 60 if minutes is not None else DEFAULT_S
    if length_s > LONGEST_S:
        raise typer.BadParameter(f"a lesson of more than {LONGEST_S / 3600:.0f} hours is not a demonstration")
    try:
        for source in (lead, receiving):
            parse_source(source)
    except SourceRefused as error:
        show.fail(str(error))
        raise typer.Exit(2) from error
    plan = make_plan(out.resolve(), seconds=length_s, rooms=rooms, lead=lead, receiving=receiving)
    for words in plan.words:
        show.warn(words)
    held = Demo(plan, broker, show)
    stays = sys.stdin.isatty() and console.is_terminal and not no_browser
    raise typer.Exit(_run(held, show, stays=stays))


def _run(held: Demo, show: Show, *, stays: bool) -> int:
    try:
        _, judgement = held.hold()
        if stays:
            _stay(held, show)
    except KeyboardInterrupt:
        return _interrupted(held, show)
    except (ChildDied, HubSilent, PlanRefused, IdentityRefused) as error:
        show.fail(str(error))
        return 1
    finally:
        held.close()
    return 0 if judgement.whole else 1


def _stay(held: Demo, show: Show) -> None:
    """Keep the hub up for whoever wants to look, until Enter or Ctrl-C: the lesson is over and summed up."""
    sign_in = f"{held.operator.url}/login"
    show.step(f"登录口令 sign in with the token {held.operator.token}")
    threading.Thread(target=webbrowser.open, args=(sign_in,), daemon=True).start()
    show.step("按回车结束 press Enter to end")
    with contextlib.suppress(KeyboardInterrupt):
        sys.stdin.readline()


def _interrupted(held: Demo, show: Show) -> int:
    show.warn("正在结束 ending the lesson; what was recorded is kept")
    try:
        held.finish_early()
    except KeyboardInterrupt:
        show.fail("interrupted again; the processes are ended now")
    except (ChildDied, HubSilent) as error:
        show.fail(str(error))
    return 130
