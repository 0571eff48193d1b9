"""Run every benchmark and write its table into docs/performance.md.

python -m benchmarks [NAME ...] [--minutes N]

Without a name all are run but the long ones (memory, rehearsal, plan10). --minutes is for `rehearsal` alone.
"""

import argparse
import datetime as dt
import os
import platform
import re
from pathlib import Path

from benchmarks import (
    capped,
    fanout,
    intake,
    join,
    lapel,
    lessons,
    loss,
    masks,
    memory,
    people,
    planning,
    planning_tenfold,
    rehearsal,
    sender,
    shares,
    slides,
    storm,
)

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
TABLES = {
    "sender": sender,
    "join": join,
    "loss": loss,
    "capped": capped,
    "shares": shares,
    "intake": intake,
    "fanout": fanout,
    "storm": storm,
    "lessons": lessons,
    "lapel": lapel,
    "people": people,
    "slides": slides,
    "masks": masks,
    "rehearsal": rehearsal,
    "plan": planning,
    "plan10": planning_tenfold,
    "memory": memory,
}
LONG = frozenset({"memory", "rehearsal", "plan10"})


def machine() -> str:
    """What the figures were measured on, in a line."""
    model = "unknown processor"
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        found = re.search(r"model name\s*: (.*)", cpuinfo.read_text())
        model = found[1] if found else model
    today = dt.datetime.now(dt.UTC).date().isoformat()
    return f"{today} · {os.cpu_count()} cores, {model}, shared · Python {platform.python_version()}"


def put(page: str, name: str, title: str, lines: list[str]) -> str:
    """The page with one table replaced, or added at its end."""
    block = "\n".join([f"<!-- table:{name} -->", f"### {title}", "", machine(), "", *lines, "<!-- /table -->"])
    pattern = re.compile(rf"<!-- table:{name} -->.*?<!-- /table -->", re.DOTALL)
    if pattern.search(page):
        return pattern.sub(lambda _: block, page)
    return page.rstrip() + "\n\n" + block + "\n"


def main(names: list[str], minutes: float = rehearsal.MINUTES) -> None:
    for name in names or [one for one in TABLES if one not in LONG]:
        table = TABLES[name]
        print(f"{name}: {table.TITLE} ...", flush=True)
        lines = rehearsal.table(minutes) if name == "rehearsal" else table.table()
        print("\n".join(lines), flush=True)
        page = PAGE.read_text(encoding="utf-8") if PAGE.exists() else "# Performance\n"
        PAGE.write_text(put(page, name, table.TITLE, lines), encoding="utf-8")


if __name__ == "__main__":
    told = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    told.add_argument("names", nargs="*", choices=[[], *TABLES], metavar="NAME")
    told.add_argument("--minutes", type=float, default=rehearsal.MINUTES, help="of the lesson that is observed")
    main(**vars(told.parse_args()))
