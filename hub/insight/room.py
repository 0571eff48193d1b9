"""What a room's timeline says of people, seats, board, sound and slides, as the report tells it."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from statistics import median
from typing import Any

from contract.observation import Observation
from hub.insight.reading import PEOPLE_MOST, cadence_of, moment, number, whole, words
from measures.people import (
    BOARD_INTERVAL_S,
    COVERAGE,
    INTERVAL_S,
    WINDOW_S,
    BoardSample,
    Sample,
    SeatMinute,
    board_track,
    people_count,
    seat_occupancy,
)
from measures.slides import SlideShown, slide_stretches

CELLS_MOST = 64
"""Rows, and columns, of the seats' grid."""
CLIPPED = 0.001
"""A second is called clipped where more than this share of its samples stands at full scale. A proposal."""
SLIDES_MOST = 2000
"""More slides of one lesson are a fault of the detector, and are not listed."""
UNSEEN = "not-observed"
"""The room told nothing of the kind: it has no camera, no board named, no model, or was not asked to observe."""
TOO_LITTLE = "coverage"
"""Told too seldom; the word is `measures.figure.Reason.COVERAGE`'s."""

Lines = Sequence[Observation]


def people(lines: Lines, seconds: float) -> dict[str, Any]:
    """How many people: the median of the lesson's minutes, and the lowest and highest of the known minutes.

    Formula: as `measures.people.typical_count`; each minute is held against the looks that were due in it by the
    `cadence` lines, so that a room that looked less often for a while is not called unseen.
    """
    told = sorted((one for one in lines if one.kind == "people" and 0 <= one.t < seconds), key=lambda one: one.t)
    cadence = cadence_of(lines, ("people_s",), INTERVAL_S)
    times = [one.t for one in told]
    samples = [Sample(one.t, whole(one.value.get("count"), 0, PEOPLE_MOST)) for one in told]
    minutes, known = [], []
    coverage = start = 0.0
    while start < seconds:
        upto = min(start + WINDOW_S, seconds)
        within = samples[bisect_left(times, start) : bisect_left(times, upto)]
        count = people_count(within, upto - start, cadence.interval_s(start, upto))
        minutes.append({"t": start, "median": count.median, "coverage": round(count.coverage, 4)})
        known += [] if count.median is None else [count.median]
        coverage += count.coverage
        start = upto
    enough = bool(known) and len(known) >= COVERAGE * len(minutes)
    return {
        "median": median(known) if enough else None,
        "low": min(known) if enough else None,
        "high": max(known) if enough else None,
        "unit": "count",
        "coverage": round(coverage / len(minutes), 4) if minutes else 0.0,
        "interval_s": round(cadence.interval_s(0.0, seconds), 3),
        "minutes": minutes if samples else [],
    } | _reason(known=enough, seen=bool(samples))


def seats(lines: Lines, seconds: float) -> dict[str, Any]:
    """Which cells of the seats were taken, over the lesson; of the grid that most pictures had, where it changed."""
    grids = [one for one in map(_seat_minute, lines) if one is not None]
    weight: Counter[tuple[int, int]] = Counter()
    for one in grids:
        if one.shares is not None:
            weight[len(one.shares), len(one.shares[0])] += one.known
    size = max(weight, key=lambda one: weight[one], default=(0, 0))
    kept = [one for one in grids if one.shares is not None and (len(one.shares), len(one.shares[0])) == size]
    every_s = cadence_of(lines, ("people_s",), INTERVAL_S).interval_s(0.0, seconds)
    found = seat_occupancy(kept, 0.0, seconds, every_s)
    return {
        "rows": size[0],
        "columns": size[1],
        "shares": None if found.shares is None else [[round(one, 3) for one in row] for row in found.shares],
        "unit": "share",
        "coverage": round(found.coverage, 4),
        "interval_s": round(every_s, 3),
    } | _reason(known=found.shares is not None, seen=bool(grids))


def board(lines: Lines, seconds: float) -> dict[str, Any]:
    """The person at the board: share of the time there, position, way and patrols."""
    looks = [
        BoardSample(one.t, whole(one.value.get("people"), 0, PEOPLE_MOST), number(one.value.get("position"), 0, 1))
        for one in lines
        if one.kind == "board" and 0 <= one.t < seconds
    ]
    every_s = cadence_of(lines, ("board_s",), BOARD_INTERVAL_S).interval_s(0.0, seconds)
    found = board_track(looks, 0.0, seconds, every_s)
    told = {name: getattr(found, name) for name in ("share", "middle", "spread", "travelled", "patrols", "patrol_s")}
    return {
        **{name: round(one, 4) if isinstance(one, float) else one for name, one in told.items()},
        "coverage": round(found.coverage, 4),
        "interval_s": round(every_s, 3),
    } | _reason(known=found.share is not None, seen=bool(looks))


def sound(lines: Lines, seconds: float) -> dict[str, Any]:
    """How loud the room's microphone was, and how many of its seconds were clipped."""
    told = [one for one in lines if one.kind == "level" and 0 <= one.t < seconds]
    loud = [one for one in (number(line.value.get("dbfs"), -200, 0) for line in told) if one is not None]
    clipped = [one for one in (number(line.value.get("clipped"), 0, 1) for line in told) if one is not None]
    coverage = min(1.0, len(loud) / seconds) if seconds > 0 else 0.0
    known = coverage >= COVERAGE
    return {
        "median_dbfs": round(median(loud), 1) if known else None,
        "clipped_share": round(sum(one > CLIPPED for one in clipped) / len(clipped), 4) if known and clipped else None,
        "coverage": round(coverage, 4),
        "interval_s": 1.0,
    } | _reason(known=known, seen=bool(told))


def slides(lines: Lines, seconds: float) -> list[dict[str, Any]]:
    """The slides in order of time, each until the next."""
    seen = sorted((one for one in lines if one.kind == "slide" and 0 <= one.t < seconds), key=lambda one: one.t)
    seen = seen[:SLIDES_MOST]
    shown = [SlideShown(one.t, whole(one.value.get("index"), 0, 1_000_000) or 0) for one in seen]
    return [
        {
            "t": moment(stood.start_s),
            "seconds": moment(stood.seconds),
            "index": stood.index,
            "title": words(one.value.get("title")),
        }
        for one, stood in zip(seen, slide_stretches(shown, seconds), strict=True)
    ]


def marks(lines: Lines, seconds: float) -> list[dict[str, Any]]:
    """What the teacher marked in the room, in order of time."""
    told = sorted((one for one in lines if one.kind == "mark" and 0 <= one.t < seconds), key=lambda one: one.t)
    return [{"t": moment(one.t), "title": words(one.value.get("title"))} for one in told[:SLIDES_MOST]]


def _seat_minute(line: Observation) -> SeatMinute | None:
    """A minute of `seats`; with unknown shares where they are no grid of shares. None for another kind."""
    if line.kind != "seats":
        return None
    pictures = whole(line.value.get("pictures"), 0, 100_000) or 0
    known = pictures - (whole(line.value.get("unknown"), 0, 100_000) or 0)
    return SeatMinute(line.t, line.seconds, max(0, known), _grid(line.value.get("share")))


def _grid(told: Any) -> tuple[tuple[float, ...], ...] | None:
    if not isinstance(told, list) or not 0 < len(told) <= CELLS_MOST:
        return None
    rows = []
    for row in told:
        cells = [number(one, 0, 1) for one in row] if isinstance(row, list) and 0 < len(row) <= CELLS_MOST else []
        shares = tuple(one for one in cells if one is not None)
        if not cells or len(shares) < len(cells):
            return None
        rows.append(shares)
    return tuple(rows) if len({len(row) for row in rows}) == 1 else None


def _reason(*, known: bool, seen: bool) -> dict[str, str]:
    """Why it is unknown, if it is."""
    return {} if known else {"reason": TOO_LITTLE if seen else UNSEEN}
