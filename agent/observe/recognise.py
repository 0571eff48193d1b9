"""The recognising process: keeps the room's sound for a few minutes, and says what the teacher said in a stretch of it.

It runs only where an operator supplied a recogniser, beside the observing process and with a limit of its own, because
such a model is several times as large as all of that. It is given stretches of the teacher's voice and of no other.
"""

import json
import os
import signal
import struct
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
import psutil

from agent.observe.beside import BesideSound
from agent.observe.wire import Kind, Message, WireBroken, read_message
from agent.platform import lower_priority
from models.manifest import ModelsTrouble
from models.recogniser import RATE_HZ, Engine, Recogniser, read_recogniser, verified
from models.sherpa import SherpaEngine

SECONDS: Final = struct.Struct("<d")
"""Content of a `STRETCH`: how long it is."""
KEPT_S: Final = 180.0
"""Who speaks is told late, the first time after a minute of speech; what is older by then is not recognised."""
LEAST_S: Final = 1.0
"""A shorter stretch is not recognised: whose voice it is, is least sure there."""
MOST_S: Final = 20.0
"""A longer one is recognised in pieces."""
HEARD: Final = 0.9
"""Least share of a piece's sound that must still be here."""
TEXT_MOST: Final = 1000
"""Most signs of a piece that are told."""

Tell = Callable[..., None]


class TooLarge(Exception):
    """The process has more memory than the manifest allows."""


def serve(stdin: BinaryIO, tell: Tell, engine: Engine, recogniser: Recogniser) -> None:
    """Answer stretches until told to stop or until the other end is gone.

    Raises:
        WireBroken: what came is not ours.
        TooLarge: more memory is used than the manifest allows.
    """
    sound = BesideSound(KEPT_S)
    lost = 0
    _check_memory(recogniser)
    tell("ready")
    while (message := read_message(stdin)) is not None and message.kind is not Kind.STOP:
        if message.kind is Kind.SOUND:
            sound.update(np.frombuffer(message.payload, np.int16), message.mono_ns)
            continue
        for start_s, seconds in _pieces(message):
            heard, known = sound.at(start_s, round(seconds * RATE_HZ))
            if known.mean() < HEARD:
                lost += 1
                continue
            said = engine.words(heard)
            _check_memory(recogniser)
            if said.text:
                value = {"text": said.text[:TEXT_MOST], "language": recogniser.language, "engine": _name(recogniser)}
                confidence = None if said.confidence is None else round(said.confidence, 3)
                told = {"mono_ns": round(start_s * 1e9), "seconds": round(seconds, 3), "confidence": confidence}
                tell("finding", kind="words", **told, value=value)
    tell("done", lost=lost)


def _pieces(message: Message) -> Iterator[tuple[float, float]]:
    """Where a stretch's pieces begin and how long they are, all of one length, in seconds."""
    (seconds,) = SECONDS.unpack(message.payload)
    number = max(1, int(np.ceil(seconds / MOST_S)))
    if seconds >= LEAST_S:
        yield from ((message.mono_ns / 1e9 + at * seconds / number, seconds / number) for at in range(number))


def _name(recogniser: Recogniser) -> str:
    return f"{recogniser.engine}/{recogniser.name}"


def _check_memory(recogniser: Recogniser) -> None:
    used = psutil.Process().memory_info().rss >> 20
    if used > recogniser.memory_mb:
        raise TooLarge(
            f"the recogniser {recogniser.name} uses {used} MB, more than the {recogniser.memory_mb} MB of its manifest"
        )


def main(manifest: Path) -> int:
    """Run as a process of its own; returns the exit code."""
    # A Ctrl-C or a service stop reaches the whole group; the service ends this process in order, by the pipe.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    lower_priority()
    # Whatever a library prints must not get between the lines: from here on, print goes to stderr.
    lines = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    def tell(what: str, **told: object) -> None:
        lines.write(json.dumps({"what": what, **told}, ensure_ascii=False).encode() + b"\n")
        lines.flush()

    try:
        recogniser = read_recogniser(manifest)
        engine = SherpaEngine(recogniser, verified(recogniser, manifest.parent))
        serve(sys.stdin.buffer, tell, engine, recogniser)
    except (ModelsTrouble, TooLarge) as error:
        tell("trouble", words=f"words are not told: {error}")
        return 1
    except WireBroken:
        return 2
    except BrokenPipeError:
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
