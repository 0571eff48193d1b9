"""One run from the command line: a hub, a folder, the fleet, and the result in words."""

import secrets
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from demo.processes import ChildDied
from swarm.conduct import SwarmPlan, allow, conduct
from swarm.hubs import GivenHub, Hub, OwnHub, SwarmRefused
from swarm.result import Percentiles, SwarmResult


class RunRefused(Exception):
    """There was no run; the message says why."""


@dataclass(frozen=True, slots=True)
class Asked(SwarmPlan):
    """What the command line asks for."""

    url: str = ""
    """Of a hub that runs; empty for one of our own."""
    token: str = ""
    broker: str = "auto"
    tls: bool = True
    """Whether a hub of our own wants certificates."""
    out: Path | None = None
    """A new folder that is kept; None for a temporary one."""


def run(asked: Asked, say: Callable[[str], None]) -> SwarmResult:
    """Hold the run.

    Args:
        asked: what to do.
        say: told what is going on, a line each.

    Raises:
        RunRefused: it cannot be done as asked.
    """
    try:
        allow(asked)
        with ExitStack() as stack:
            if asked.out is None:
                folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tongtang-swarm-")))
            else:
                folder = asked.out.absolute()
                folder.mkdir(parents=True)
            hub = _hub(asked, folder, stack)
            say(f"broker: {hub.broker}")
            return conduct(asked, hub, folder, say)
    except (SwarmRefused, ChildDied) as error:
        raise RunRefused(str(error)) from error
    except FileExistsError as error:
        raise RunRefused(f"{asked.out} is there already; name a new folder with --out") from error


def _hub(asked: Asked, folder: Path, stack: ExitStack) -> Hub:
    if asked.url:
        tag = secrets.token_hex(2)
        names = [f"swarm-{tag}-{number:05d}" for number in range(1, asked.devices + 1)]
        given = GivenHub(asked.url, asked.token, names, folder)
        stack.callback(given.close)
        return given
    own = OwnHub(folder, asked.devices, tls=asked.tls, broker=asked.broker)
    stack.callback(own.close)
    own.start()
    return own


def told(result: SwarmResult) -> str:
    """The result for people."""
    over = f"{result.broker}, TLS" if result.tls else result.broker
    counts = f"produced {result.produced:,} · stored {result.stored:,}"
    hub, broker, own = (_part(one) for one in (result.hub_cpu_share, result.broker_cpu_share, result.swarm_cpu_share))
    lines = [
        f"{result.devices} devices, {result.messages_per_s:,.0f} rows/s for {result.seconds:.0f} s over {over}",
        f"{counts} · lost {result.lost} · stored twice {result.duplicated}",
        _spread("commit, as the watermark's arrival shows", result.commit_ms),
        _spread("arrival at the hub, as it stored it", result.arrival_ms),
        _spread("commit, devices that were cut off", result.cut_commit_ms),
        _spread("commit, bursts", result.burst_commit_ms),
        f"processor: hub {hub}, broker {broker}, swarm {own} of a core",
        *result.words,
    ]
    return "\n".join(line for line in lines if line)


def _spread(name: str, one: Percentiles | None) -> str:
    return "" if one is None else f"{name}: p50 {one.p50} ms, p99 {one.p99} ms, longest {one.longest} ms"


def _part(share: float | None) -> str:
    return "?" if share is None else f"{share:.1%}"
