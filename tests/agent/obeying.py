"""A device as a process of its own, to be killed: `python -m tests.agent.obeying FOLDER KEY HUB_KEY PORT`.

`ping` writes a line to FOLDER/done.txt, then takes a minute; `health` writes its line and is done.
"""

import sys
import time
from pathlib import Path

from agent.commands import Commands, Done
from agent.report.journal import Journal
from agent.report.report import Report
from contract import topics
from contract.command import CommandName
from contract.keys import load_private, load_public
from tests.agent.report.conftest import identity_of, settings_of

folder, key, hub_key, port = sys.argv[1:]
identity = identity_of(load_private(Path(key)), load_public(Path(hub_key).read_text()), int(port))
report = Report(identity, settings_of(Path(folder)), incarnation=str(time.time_ns()))


def done(line: str, seconds: float) -> Done:
    with (Path(folder) / "done.txt").open("a") as file:
        file.write(f"{line}\n")
    time.sleep(seconds)
    return Done(line)


commands = Commands(
    identity.device,
    identity.key,
    identity.hub_key,
    Journal(Path(folder) / "commands.jsonl"),
    report.clock,
    lambda data: report.publish(topics.result(identity.device), data),
    report.reporter.event,
    {CommandName.PING: lambda _: done("slow", 60), CommandName.HEALTH: lambda _: done("quick", 0)},
)
report.handle(topics.command(identity.device), commands.arrived)
report.on_hub = lambda connected: commands.connected() if connected else None
commands.start()
report.start()
print("up", flush=True)
time.sleep(600)
