"""What is told once a start: versions once a boot and at each change, and state that was lost."""

from collections.abc import Callable
from pathlib import Path

from agent.report.health import losses, runs
from agent.report.health.probe import Value

VERSIONS = "agent.versions"
"""Kind of the event that tells what runs."""


class Start:
    """This run of the agent: compared with the one before, written down, and written off at its end.

    Args:
        state: the state folder.
        incarnation: of this run.
        held: what the state folder holds, now that everything in it has been opened.
        wall: this machine's wall clock, in seconds.
    """

    def __init__(self, state: Path, incarnation: str, held: losses.Held, wall: float) -> None:
        self._path = state / runs.FILE
        self.restart = runs.begun(self._path, held.boot, wall)
        self._losses = losses.Losses()
        self._held = held
        before = self.restart.before
        self._run = runs.Run(
            starts=self.restart.starts,
            times=self.restart.times,
            boot=held.boot,
            incarnation=incarnation,
            versions=before.versions if before else {},
            machine=held.machine,
            device=held.device,
            streams=dict(held.streams),
            clock=held.clock,
        )
        for one in losses.compare(self.restart, held):
            self._losses.note(one.what, one.words)

    def lost(self, what: str, words: str) -> None:
        """Note something that is gone, before `tell`."""
        self._losses.note(what, words)

    def tell(self, event: Callable[[str, dict[str, Value]], object], versions: Callable[[], dict[str, str]]) -> None:
        """Report what is told once, then write this run down.

        In this order: a kill in between tells twice, never not at all.

        Args:
            event: takes events.
            versions: finds out what runs; slow.
        """
        lost = self._losses.told()
        if lost:
            event(losses.KIND, {"what": [one.what for one in lost], "words": [one.words for one in lost]})
        now = versions()
        if runs.told_anew(self.restart.before, self._held.boot, now):
            event(VERSIONS, {**now})
        self._run = self._run.model_copy(update={"versions": now})
        runs.keep(self._path, self._run)

    def end(self, why: runs.Ending, *, clock: bool) -> None:
        """This run ends in order.

        Args:
            why: `STOPPED`, or `FAULT`.
            clock: whether the clock's map is on the disk.
        """
        runs.keep(self._path, self._run.model_copy(update={"ended": str(why), "clock": clock}))
