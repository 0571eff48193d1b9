"""The twin on this machine: what the hub wants of its settings, what is in force, and the last that was good.

Everything is one small file, written whole, so a power cut at any moment leaves one state or the
next. A new configuration is on trial until the machine has been well with it.
"""

import logging
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from agent.platform import replace_file
from agent.settings import AgentSettings
from contract.model import Message
from contract.settings import what_to_mend
from contract.twin import Desired, Reported, TwinStatus, TwinUnfit, understood

log = logging.getLogger(__name__)

TWIN = "twin.json"
"""In the state folder."""
STARTS_MAX = 3
"""Starts that a configuration on trial gets to be well."""


class Phase(StrEnum):
    """Where this machine stands with what is wanted."""

    SETTLED = "settled"
    """Nothing is pending: what is in force was good before, or is good now."""
    WAITING = "waiting"
    """Something is wanted, is on the disk, and is not in force yet."""
    TRIAL = "trial"
    """What is wanted is in force; the last good one is kept until the machine was well."""


P = Phase

MOVES: Mapping[Phase, frozenset[Phase]] = {
    P.SETTLED: frozenset({P.WAITING}),
    P.WAITING: frozenset({P.TRIAL, P.SETTLED}),
    P.TRIAL: frozenset({P.SETTLED, P.WAITING}),
}
"""From a trial to waiting: something newer is wanted, before the last was known to be good."""


class MoveRefused(Exception):
    """The twin was asked to go where it cannot go from here; a fault in the program."""


def moved(phase: Phase, to: Phase) -> Phase:
    """Return `to`, or raise `MoveRefused`; staying is no move and is allowed."""
    if to is phase or to in MOVES[phase]:
        return to
    allowed = ", ".join(sorted(MOVES[phase]))
    raise MoveRefused(f"a twin that is {phase} cannot become {to}; allowed from here: {allowed}")


class Standing(Message):
    """What a machine that is well has."""

    hub: bool
    camera: bool
    microphone: bool

    def lost(self, now: "Standing") -> list[str]:
        """What was there and is not there `now`, in words."""
        names = {"hub": "the hub", "camera": "the camera", "microphone": "the microphone"}
        return [words for name, words in names.items() if getattr(self, name) and not getattr(now, name)]


class Revision(Message):
    """One configuration under its number."""

    rev: int = Field(ge=0)
    config: dict[str, Any] = Field(default_factory=dict)


class TwinFile(Message):
    """`twin.json` in the state folder."""

    version: int = 1
    phase: Phase = Phase.SETTLED
    good: Revision = Revision(rev=0)
    """The last with which the machine was well; in force but for a trial."""
    wanted: Revision | None = None
    """What waits, or is on trial."""
    before: Standing | None = None
    """How the machine stood when the trial began."""
    starts: int = 0
    """Starts of the service on trial."""
    rev: int = 0
    """The newest revision that was ever heard of, refused ones too."""
    status: TwinStatus = TwinStatus.APPLIED
    words: str = ""


class Twin:
    """What is wanted and what is in force, on the disk. One thread at a time."""

    def __init__(self, path: Path, base: AgentSettings) -> None:
        """Read what is there; a file that cannot be used is left out, and the hub says anew what it wants.

        Args:
            path: `twin.json`.
            base: the settings of the machine's own file, over which the twin goes.
        """
        self._path = path
        self._base = base
        self.lost = ""
        """Why what was there is left out, for people; empty where it is not."""
        self._file = self._read()

    def _read(self) -> TwinFile:
        try:
            file = TwinFile.model_validate_json(self._path.read_bytes())
            understood(file.good.config)
        except FileNotFoundError:
            return TwinFile()
        except (OSError, ValidationError, TwinUnfit) as error:
            self.lost = f"{self._path.name} cannot be used ({type(error).__name__}); the hub says anew what it wants"
            log.warning(self.lost)
            return TwinFile()
        return file

    @property
    def phase(self) -> Phase:
        """Where this machine stands with what is wanted."""
        return self._file.phase

    @property
    def before(self) -> Standing | None:
        """How the machine stood when the trial began; None without one."""
        return self._file.before

    @property
    def in_force(self) -> Revision:
        """The configuration that a service built now has."""
        file = self._file
        return file.wanted if file.phase is P.TRIAL and file.wanted is not None else file.good

    def begin(self) -> AgentSettings:
        """Settings for the service that is built now; a trial that failed to get well often enough ends here."""
        try:
            if self.phase is P.TRIAL:
                self._count()
        except OSError as error:
            log.warning("a start on trial is not counted: %s", error.strerror)
        try:
            return merged(self._base, self.in_force.config)
        except TwinUnfit as error:  # the machine's own file changed under it
            log.warning("revision %d of the twin does not fit the settings: %s", self.in_force.rev, error)
            return self._without(str(error))

    def _count(self) -> None:
        if self._file.starts >= STARTS_MAX:
            self.restore(f"the service started {STARTS_MAX} times without getting well")
        else:
            self._write(starts=self._file.starts + 1)

    def _without(self, why: str) -> AgentSettings:
        """Settings without what is in force, which does not fit."""
        if self.phase is P.TRIAL:
            settled = {"phase": P.SETTLED, "wanted": None, "status": TwinStatus.RESTORED, "words": why[:1000]}
            self._file = self._file.model_copy(update=settled)
        try:
            return merged(self._base, self._file.good.config)
        except TwinUnfit:
            return self._base

    def take(self, desired: Desired) -> bool:
        """The hub wants this; False where it is not newer than what is known.

        Raises:
            OSError: the disk does not take it; nothing has changed.
        """
        if desired.rev <= self._file.rev:
            return False
        wanted = Revision(rev=desired.rev, config=desired.config)
        try:
            config = understood(desired.config)
            settings = merged(self._base, desired.config)
            now = merged(self._base, self.in_force.config)
        except TwinUnfit as error:
            # What waited is withdrawn; what is on trial is judged on.
            phase = P.SETTLED if self.phase is P.WAITING else self.phase
            kept = self._file.wanted if phase is P.TRIAL else None
            self._write(phase=phase, wanted=kept, rev=desired.rev, status=TwinStatus.REFUSED, words=str(error)[:1000])
            return True
        wanted = Revision(rev=desired.rev, config=config.plain())
        if settings == now and self.phase is not P.TRIAL:
            self._write(phase=P.SETTLED, good=wanted, wanted=None, rev=desired.rev, status=TwinStatus.APPLIED, words="")
            return True
        words = "it is applied as soon as no lesson is on or near"
        self._write(
            phase=P.WAITING,
            wanted=wanted,
            before=None,
            starts=0,
            rev=desired.rev,
            status=TwinStatus.WAITING,
            words=words,
        )
        return True

    def wait(self, words: str) -> None:
        """Say why what is wanted is not in force yet."""
        if self.phase is P.WAITING and words != self._file.words:
            self._file = self._file.model_copy(update={"words": words})

    def try_out(self, before: Standing) -> None:
        """What is wanted is in force from the next start on, on trial.

        Raises:
            OSError: the disk does not take it; nothing has changed.
        """
        words = "it is in force; whether the machine is well with it shows in the next minutes"
        self._write(phase=P.TRIAL, before=before, starts=0, status=TwinStatus.WAITING, words=words)

    def well(self) -> None:
        """The machine was well with what is on trial: that is the last good one now.

        Raises:
            OSError: the disk does not take it; nothing has changed.
        """
        good = self.in_force
        if self._file.rev > good.rev:  # something newer came meanwhile and was refused
            self._write(phase=P.SETTLED, good=good, wanted=None, before=None, starts=0)
            return
        self._write(phase=P.SETTLED, good=good, wanted=None, before=None, starts=0, status=TwinStatus.APPLIED, words="")

    def restore(self, words: str) -> None:
        """The machine was not well with what is on trial: the last good one is in force from the next start on.

        Raises:
            OSError: the disk does not take it; nothing has changed.
        """
        tried = self.in_force.rev
        log.warning("revision %d of the twin is taken back: %s", tried, words)
        told = f"revision {tried} was in force and is taken back, because {words}; {_named(self._file.good)} again"
        self._write(phase=P.SETTLED, wanted=None, before=None, starts=0, status=TwinStatus.RESTORED, words=told[:1000])

    def reported(self, device: str) -> Reported:
        """What the hub is told."""
        file = self._file
        return Reported(device=device, rev=file.rev, status=file.status, words=file.words, config=self.in_force.config)

    def _write(self, **changes: Any) -> None:
        after = self._file.model_copy(update=changes)
        moved(self._file.phase, after.phase)
        replace_file(self._path, after.model_dump_json(indent=1).encode())
        self._file = after


def merged(base: AgentSettings, config: Mapping[str, Any]) -> AgentSettings:
    """`base` with `config` (keys by table) over it.

    Raises:
        TwinUnfit: a key is not to be set from afar, or a value is out of bounds.
    """
    settings = base.model_dump()
    for table, keys in understood(config).plain().items():
        settings[table] |= keys
    try:
        return AgentSettings.model_validate(settings)
    except ValidationError as error:
        raise TwinUnfit("; ".join(what_to_mend(error, AgentSettings))) from error


def _named(revision: Revision) -> str:
    return f"revision {revision.rev} is in force" if revision.rev else "the machine's own settings are in force"
