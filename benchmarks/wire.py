"""How the processes of a media benchmark talk: a line of JSON each, over a Unix socket, whatever lies between them."""

import asyncio
import json
import resource
from typing import Any

HOST = "127.0.0.1"
LINE_MAX = 1 << 24
"""Bytes of a line: a receiver tells the time of every picture in one."""


async def tell(writer: asyncio.StreamWriter, message: dict[str, Any]) -> None:
    writer.write(json.dumps(message).encode() + b"\n")
    await writer.drain()


async def hear(reader: asyncio.StreamReader) -> dict[str, Any]:
    return json.loads(await reader.readline())


def cpu_s() -> float:
    """Processor time of this process, all threads, in seconds."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def percentile(values: list[float], share: float) -> float | None:
    """The value below which `share` of the values lie; None where there are none."""
    ordered = sorted(values)
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))], 1) if ordered else None
