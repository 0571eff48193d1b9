"""Sets a mark from outside the agent's process: a client of the teacher's screen's socket."""

import asyncio
import contextlib
import json
from pathlib import Path

from pydantic import ValidationError

from agent.overlay.marks import AnswerLine
from agent.platform import open_local

ANSWER_S = 10.0
"""How long an answer is waited for, in seconds."""
STATE_LIMIT = 4 << 20
"""No line of state is longer than this, in bytes."""
START = "is it running? see: systemctl status tongtang-agent"
ACCOUNT = "it belongs to another account; run this as that of the agent, such as: sudo -u tongtang tongtang agent mark"
HUNG_UP = "the agent hung up: its token is another by now, or as many screens as it serves are connected; try again"


class OverlayRefused(Exception):
    """The agent could not be asked; the message says what to do."""


async def set_mark(socket: Path, token: Path, title: str) -> AnswerLine:
    """Ask the running agent to set a mark at this moment.

    Args:
        socket: where it listens for the teacher's screen.
        token: file of the screen's token.
        title: of what begins here; may be empty.

    Raises:
        OverlayRefused: no agent runs here, this account may not ask it, or it does not answer.
    """
    try:
        shown = await asyncio.to_thread(token.read_bytes)
        reader, writer = await open_local(socket)
    except PermissionError as error:
        raise OverlayRefused(f"the agent cannot be asked: {error.filename or socket}: {ACCOUNT}") from error
    except OSError as error:
        raise OverlayRefused(f"no agent serves the teacher's screen at {socket}: {START}") from error
    try:
        async with asyncio.timeout(ANSWER_S):
            writer.write(shown.strip() + b"\n" + json.dumps({"mark": title}).encode() + b"\n")
            await writer.drain()
            return await _answer(reader)
    except TimeoutError as error:
        raise OverlayRefused(f"the agent at {socket} does not answer within {ANSWER_S:.0f} s; {START}") from error
    except OSError as error:
        raise OverlayRefused(HUNG_UP) from error
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def _answer(reader: asyncio.StreamReader) -> AnswerLine:
    waiting = b""
    while chunk := await reader.read(1 << 16):
        *lines, waiting = (waiting + chunk).split(b"\n")
        for line in lines:
            with contextlib.suppress(ValidationError):  # a line of state
                return AnswerLine.model_validate_json(line)
        if len(waiting) > STATE_LIMIT:
            break
    raise OverlayRefused(HUNG_UP)
