"""What one check found: a verdict, what is wrong, and what to do about it."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from agent.identity import Identity
from agent.settings import AgentSettings


class Verdict(StrEnum):
    """How it stands."""

    OK = "ok"
    """Nothing to do."""
    WARN = "warn"
    """A lesson can be held, with less than there could be."""
    BAD = "bad"
    """A lesson cannot be held, or not kept, until this is mended."""


@dataclass(frozen=True, slots=True)
class CheckLine:
    """One line of `tongtang agent check`."""

    name: str
    verdict: Verdict
    words: str
    """What was found."""
    todo: str = ""
    """What to do; empty where there is nothing to do."""

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {"name": self.name, "verdict": str(self.verdict), "words": self.words, "todo": self.todo}

    def __str__(self) -> str:
        tail = f"; {self.todo}" if self.todo else ""
        return f"{self.verdict:<4}  {self.name:<11}  {self.words}{tail}"


Check = Callable[[AgentSettings, Identity | None], CheckLine]
"""Looks at one thing; opens no camera and no microphone, and never raises for what it looks for."""
