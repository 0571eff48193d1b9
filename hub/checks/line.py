"""One line of `tongtang hub check`."""

from dataclasses import asdict, dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """What a check found."""

    OK = "ok"
    """As it should be."""
    WARN = "warn"
    """The hub runs, but something should be looked at."""
    BAD = "bad"
    """The hub does not run like this."""


@dataclass(frozen=True)
class CheckLine:
    """What was looked at, what was found, and what to do."""

    name: str
    verdict: Verdict
    words: str
    todo: str = ""

    def __str__(self) -> str:
        tail = f"; {self.todo}" if self.todo else ""
        return f"{self.verdict:<4}  {self.name:<11}  {self.words}{tail}"

    def as_json(self) -> dict[str, str]:
        """For programs."""
        return asdict(self)


def ok(name: str, words: str) -> CheckLine:
    """As it should be."""
    return CheckLine(name, Verdict.OK, words)


def warn(name: str, words: str, todo: str) -> CheckLine:
    """To be looked at."""
    return CheckLine(name, Verdict.WARN, words, todo)


def bad(name: str, words: str, todo: str) -> CheckLine:
    """The hub does not run like this."""
    return CheckLine(name, Verdict.BAD, words, todo)
