"""What goes into the next sample: the hub adds samples up, so what has not changed need not travel. Pure."""

from collections.abc import Iterable, Mapping

from agent.report.health.probe import Probe, Reading, Value, changed

WHOLE_EVERY_S = 600.0
"""A sample that holds every field goes out this often, in seconds."""
WHOLE = "all"
"""Field that marks a sample which holds every field: the hub forgets what it knew before."""


class Sampler:
    """Makes small samples out of readings.

    1,893 devices send a sample every five seconds: beside a few figures that always move, each holds
    only what changed since it was told last.
    """

    def __init__(self, probes: Iterable[Probe]) -> None:
        self._always: frozenset[str] = frozenset().union(*(one.always for one in probes))
        self._steps = {name: step for one in probes for name, step in one.steps.items()}
        self._told: dict[str, Value] = {}
        self._whole_due_s = 0.0
        self._whole = True

    def tell_all(self) -> None:
        """The next sample holds every field: whoever listens may have forgotten what it was told."""
        self._whole = True

    def sample(self, readings: Iterable[Reading], now_s: float) -> dict[str, Value]:
        """The next sample.

        Args:
            readings: what every probe found last; of one that fails or hangs nothing.
            now_s: monotonic, in seconds.
        """
        found = {name: value for reading in readings for name, value in reading.items()}
        if self._whole or now_s >= self._whole_due_s:
            self._whole, self._whole_due_s = False, now_s + WHOLE_EVERY_S
            self._told = dict(found)
            return {**found, WHOLE: True}
        due = {name: value for name, value in found.items() if self._is_due(name, value)}
        self._told |= due
        return due

    def _is_due(self, name: str, value: Value) -> bool:
        if name in self._always or name not in self._told:
            return True
        return changed(self._told[name], value, self._steps.get(name, 0.0))


def whole(sample: Mapping[str, Value]) -> bool:
    """Whether a sample holds every field."""
    return sample.get(WHOLE) is True
