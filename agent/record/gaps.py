"""Which stretches of session time a track does not hold, and why."""

from collections.abc import Iterable, Sequence

from contract.package import Gap, Part

LEAST_S = 0.1
"""Shorter stretches are no gaps, in seconds: a part begins at the first picture, not between two."""
WHY = {
    "end": "the recording was begun anew",
    "crash": "the agent or the machine stopped and started again",
    "disk-full": "the disk took nothing",
    "source-lost": "the source was lost",
    "open": "the part was never closed",
}


def gaps(track: str, parts: Iterable[Part], seconds: float) -> tuple[Gap, ...]:
    """Find what is missing of [0, seconds) on one track.

    Args:
        track: its name.
        parts: all parts of the package; those of other tracks are left out.
        seconds: length of the session.
    """
    own = sorted((part for part in parts if part.track == track and part.seconds > 0), key=lambda part: part.start_t)
    found: list[Gap] = []
    held = 0.0
    why = "the recording began late" if own else "nothing was recorded"
    for part in own:
        least = max(LEAST_S, 1.5 / part.fps if part.fps > 0 else 0.0)
        if min(part.start_t, seconds) - held > least:
            found.append(Gap(track=track, start_t=round(held, 6), end_t=round(min(part.start_t, seconds), 6), why=why))
        held = max(held, part.start_t + part.seconds)
        why = WHY[part.closed]
    if own and own[-1].closed == "end":
        why = "the recording ended early"
    least = max(LEAST_S, 1.5 / own[-1].fps if own and own[-1].fps > 0 else 0.0)
    if seconds - held > least:
        found.append(Gap(track=track, start_t=round(held, 6), end_t=round(seconds, 6), why=why))
    return tuple(found)


def all_gaps(tracks: Sequence[str], parts: Sequence[Part], seconds: float) -> tuple[Gap, ...]:
    """The gaps of every track that was expected or recorded."""
    names = dict.fromkeys([*tracks, *(part.track for part in parts)])
    return tuple(gap for name in names for gap in gaps(name, parts, seconds))
