"""Session time of what was observed, in step with the pictures that were recorded beside it."""

from contract.observation import Observation
from contract.package import Manifest


def moment(line: Observation, manifest: Manifest) -> float:
    """Session time of an observation, in seconds, as a player shows its moment.

    A part is placed in session time once, when it begins; a room that hears the hub's clock for the first time, or
    hears that it was set, goes on with another map, and what it observes from then on would stand beside the wrong
    pictures. So within a part the time that passed since its beginning counts, on the clock that both were taken
    by; between two parts it stays between them; where nothing was recorded it is the room's own word.

    Args:
        line: an observation of the room.
        manifest: of its package.
    """
    own = [part for part in manifest.parts if part.boot and part.boot == line.boot]
    before = [part for part in own if part.start_mono_ns <= line.mono_ns]
    if not before:
        return line.t
    last = max(before, key=lambda part: part.start_mono_ns)
    t = last.start_t + (line.mono_ns - last.start_mono_ns) / 1e9
    held = last.start_t + last.seconds
    if t <= held:
        return t
    later = [part.start_t for part in own if part.start_mono_ns > line.mono_ns]
    return max(held, min([line.t, *later]))
