"""What a device was told to do, and what came of it: on the disk before anything is done."""

import json
import logging
import os
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from agent.platform import replace_file, sync_folder
from contract.command import Result
from contract.model import Message

log = logging.getLogger(__name__)

KEPT = 256
"""Commands remembered; older ones are forgotten once they have expired."""
KEPT_MAX = 1024
"""Commands remembered that have not expired; beyond it none is begun."""
LINES_MAX = 4 * KEPT_MAX
"""Lines appended before the file is written anew."""


class JournalUnusable(Exception):
    """Nothing can be begun, because it could not be remembered; the message says why."""


class Begun(Message):
    """A command that was begun, or was about to be."""

    nonce: str
    ref: str
    """Id of its envelope."""
    name: str
    expires: float
    """In seconds of hub UTC."""


@dataclass(slots=True)
class _Entry:
    begun: Begun
    result: Result | None = None


class Journal:
    """Commands by nonce, in a file of lines that is synchronised before anything is done. One thread owns it.

    Each line begins with a line break of its own, so that one torn by a power cut or a full disk spoils no other.
    """

    def __init__(self, path: Path) -> None:
        """Read what is there.

        Raises:
            JournalUnusable: it cannot be read.
        """
        self._path = path
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._lines = 0
        try:
            text = path.read_bytes().decode(errors="replace")
        except FileNotFoundError:
            return
        except OSError as error:
            raise JournalUnusable(f"{path} cannot be read: {error.strerror}") from error
        for line in filter(None, text.split("\n")):
            self._lines += 1
            try:
                self._read(json.loads(line))
            except (ValueError, TypeError, KeyError, ValidationError):
                log.warning("a torn line of %s is left out", path.name)

    def knows(self, nonce: str) -> bool:
        """Whether this command was begun before."""
        return nonce in self._entries

    def result(self, nonce: str) -> Result | None:
        """What came of it; None where it is still being done."""
        return self._entries[nonce].result

    def cut_off(self) -> list[Begun]:
        """Commands that were begun and of which nothing is known since: right after the start, an earlier life's."""
        return [one.begun for one in self._entries.values() if one.result is None]

    def results(self, since: float) -> list[Result]:
        """What came of commands since then, in seconds of hub UTC; the oldest first."""
        return [one.result for one in self._entries.values() if one.result is not None and one.result.at >= since]

    def begin(self, begun: Begun, now: float) -> None:
        """Remember that a command is about to be done; it survives a power cut when this returns.

        Args:
            begun: the command.
            now: hub UTC in seconds, to forget what has expired.

        Raises:
            JournalUnusable: the disk does not take it, or too many are remembered.
        """
        self._forget(now)
        if len(self._entries) >= KEPT_MAX:
            raise JournalUnusable(f"{KEPT_MAX} commands that have not expired are remembered, which is the most")
        try:
            if self._lines >= LINES_MAX:
                self._rewrite()
            self._append({"begun": begun.model_dump()})
        except OSError as error:
            raise JournalUnusable(f"it cannot be written to {self._path}: {error.strerror}") from error
        self._entries[begun.nonce] = _Entry(begun)

    def finish(self, nonce: str, result: Result) -> None:
        """Remember what came of it; where the disk does not take that, it is known until the next start alone."""
        self._entries[nonce].result = result
        try:
            self._append({"nonce": nonce, "result": result.model_dump(mode="json")})
        except OSError as error:
            log.warning("what came of a command cannot be written to %s: %s", self._path, error.strerror)

    def _forget(self, now: float) -> None:
        for nonce in [nonce for nonce, one in self._entries.items() if one.begun.expires < now]:
            if len(self._entries) < KEPT:
                return
            del self._entries[nonce]

    def _append(self, line: dict[str, object]) -> None:
        new = not self._path.exists()
        if new:
            self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("ab") as file:
            file.write(f"\n{json.dumps(line, separators=(',', ':'))}\n".encode())
            file.flush()
            os.fsync(file.fileno())
        if new:
            sync_folder(self._path.parent)
        self._lines += 1

    def _rewrite(self) -> None:
        lines: list[dict[str, object]] = []
        for nonce, one in self._entries.items():
            lines.append({"begun": one.begun.model_dump()})
            if one.result is not None:
                lines.append({"nonce": nonce, "result": one.result.model_dump(mode="json")})
        replace_file(self._path, "".join(f"\n{json.dumps(one, separators=(',', ':'))}\n" for one in lines).encode())
        self._lines = len(lines)

    def _read(self, line: dict[str, object]) -> None:
        if "begun" in line:
            begun = Begun.model_validate(line["begun"])
            self._entries[begun.nonce] = _Entry(begun)
        else:
            self._entries[str(line["nonce"])].result = Result.model_validate(line["result"])
