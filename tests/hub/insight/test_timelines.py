"""The report of any timeline: with holes, with clocks that stepped, with values that nobody should have written."""

import json
import random
from collections.abc import Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from contract.clock import ClockRecord, Segment
from contract.observation import Observation
from contract.package import Manifest
from contract.session import Policy, Role, RoomOrder, SessionOrder
from hub.insight.packages import RoomPackage, observations_of
from hub.insight.report import lesson_report
from measures.voices import RoomVoices
from tests.measures.rooms import pieces
from tests.measures.test_timelines import figures, in_range
from tests.measures.timelines import LENGTH_S, lectures, odd_rooms

ROOMS = (("lead", Role.LEAD), ("far", Role.RECEIVING))
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 10**20) | st.floats() | st.text(max_size=8) | st.just("teacher"),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
NAMES = ("voice", "count", "share", "pictures", "unknown", "position", "people", "index", "title", "dbfs", "clipped")
EVERY = ("people_s", "board_s", "slides_s", "speech_s", "level")
KINDS = ("voice", "people", "seats", "board", "slide", "level", "cadence", "mark", "speech", "words", "chapter", "?")
MOMENTS = st.integers(-20_000, 260_000).map(lambda ms: ms / 1000) | st.floats()


@st.composite
def hostile(draw) -> dict[str, Any]:
    """A line of a timeline as a fault, or a foe, may have written it."""
    value = {name: draw(ANYTHING) for name in draw(st.lists(st.sampled_from(NAMES + EVERY), max_size=4))}
    return {
        "v": 1,
        "kind": draw(st.sampled_from(KINDS)),
        "t": draw(MOMENTS),
        "mono_ns": 0,
        "seconds": draw(st.floats(0, 100) | st.floats()),
        "confidence": draw(st.none() | st.floats(0, 1)),
        "value": value,
    }


@st.composite
def sampled(draw) -> list[dict[str, Any]]:
    """People, board, level and slides as an agent tells them, with holes, and cadences that change."""
    rng = random.Random(draw(st.integers(0, 1_000)))
    holes = [(at, at + rng.uniform(1, 60)) for at in (rng.uniform(0, LENGTH_S) for _ in range(rng.randrange(3)))]
    out = [line("cadence", rng.uniform(0, LENGTH_S), {"people_s": rng.choice([1.0, 2.0, 0, None, -1, "x"])})]
    for second in range(int(LENGTH_S)):
        t = second + (rng.choice([0, 0, -7.5]) if second > LENGTH_S / 2 else 0)
        if any(a <= t < b for a, b in holes):
            continue
        out.append(line("people", t, {"count": rng.choice([0, 30, 31, None]), "faces": 3}))
        out.append(line("level", t, {"dbfs": rng.uniform(-90, 0), "peak_dbfs": 0.0, "clipped": rng.random()}))
        if second % 4 == 0:
            there = rng.random() < 0.7
            out.append(line("board", t, {"position": rng.random() if there else None, "people": int(there)}))
        if second % 60 == 0:
            share = [[rng.random() for _ in range(8)] for _ in range(5)]
            out.append(line("seats", t, {"pictures": 60, "unknown": 1, "share": share}) | {"seconds": 60.0})
        if second % 17 == 0:
            out.append(line("slide", t, {"index": second // 17, "title": rng.choice(["分数", None, "例 1"])}))
    for one in rng.sample(out, rng.choice([0, len(out) // 12, len(out) // 3])):
        one["value"][rng.choice(sorted(one["value"]))] = rng.choice([7.5, -3, 10**9, "x", True, None, [[2.0]], 1e300])
    return out


def line(kind: str, t: float, value: dict[str, Any]) -> dict[str, Any]:
    return {"v": 1, "kind": kind, "t": t, "mono_ns": 0, "seconds": 0.0, "confidence": None, "value": value}


def voices(room: RoomVoices) -> list[dict[str, Any]]:
    return [
        {**line("voice", one.start_s, {"voice": one.voice.value}), "seconds": one.seconds, "confidence": one.confidence}
        for one in room.spans
    ]


def report(order: SessionOrder, lines: list[list[dict[str, Any]]], error_s: float = 0.001) -> dict[str, Any]:
    """The report of these lines, through what a file holds: NaN and all."""
    packages = []
    for (room, role), told in zip(ROOMS, lines, strict=True):
        clock = ClockRecord(boot="b", segments=(Segment(mono_ns=0, there_ns=0, error_ns=round(error_s * 1e9)),))
        manifest = Manifest(
            session=order.session,
            room=room,
            role=role,
            device=room,
            epoch=order.epoch,
            seconds=order.seconds,
            policy=order.policy,
            clock=clock,
        )
        found, wrong = observations_of(json.dumps(one).encode() + b"\n" for one in told)
        assert len(found) + wrong == len(told)
        packages.append(RoomPackage(manifest, found, wrong))
    return lesson_report(order, packages)


def order_of(seconds: float) -> SessionOrder:
    rooms = tuple(RoomOrder(room=room, device=room, role=role) for room, role in ROOMS)
    return SessionOrder(
        session="s-maths-1",
        rev=1,
        epoch=1.79e9,
        seconds=seconds,
        title="分数",
        policy=Policy(observe=True),
        rooms=rooms,
    )


def numbers(told: Any) -> Iterator[float]:
    if isinstance(told, dict):
        told = list(told.values())
    if isinstance(told, list):
        for one in told:
            yield from numbers(one)
    elif isinstance(told, float):
        yield told


def check(told: dict[str, Any], seconds: float) -> None:
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    for where, one in figures(told["measures"]):
        assert (one["value"] is None) == ("reason" in one), where
        assert one["value"] is None or in_range(one, seconds), (where, one)
        assert 0 <= one["coverage"] <= 1, where
    for room in told["rooms"]:
        for part in ("people", "seats", "board", "sound"):
            assert 0 <= room[part]["coverage"] <= 1, part
            assert room[part]["coverage"] >= 0.79 or "reason" in room[part], part
        people, board, sound = room["people"], room["board"], room["sound"]
        if people["median"] is not None:
            assert 0 <= people["low"] <= people["median"] <= people["high"] <= 1000
        for share in (board["share"], board["middle"], board["spread"], sound["clipped_share"]):
            assert share is None or 0 <= share <= 1
        assert all(0 <= cell <= 1 for cell in numbers(room["seats"]["shares"]))
        for slide in room["slides"]:
            assert 0 <= slide["t"] <= seconds
            assert 0 <= slide["seconds"] <= seconds + 0.001
        assert sum(slide["seconds"] for slide in room["slides"]) <= seconds + 0.001 * len(room["slides"])


@settings(max_examples=60, deadline=None)
@given(
    st.lists(hostile(), max_size=30), st.lists(hostile(), max_size=30), st.sampled_from([0.004, 1.0, 61.0, LENGTH_S])
)
def test_whatever_a_room_wrote_is_reported_without_a_figure_that_cannot_be(
    lead: list[dict[str, Any]], far: list[dict[str, Any]], seconds: float
):
    check(report(order_of(seconds), [lead, far]), seconds)


@settings(max_examples=40, deadline=None)
@given(odd_rooms | lectures, sampled(), sampled(), st.sampled_from([0.004, 1.0, 100.0, LENGTH_S]))
def test_holes_and_clock_steps_are_reported_with_what_is_unknown(told, in_lead, in_far, seconds: float):
    lines = [[*voices(told[0]), *in_lead], [*voices(told[1]), *in_far]]
    check(report(order_of(seconds), lines), seconds)


@settings(max_examples=30, deadline=None)
@given(sampled())
def test_a_room_that_told_nothing_is_unknown_in_all(in_lead):
    told = report(order_of(LENGTH_S), [in_lead, []])
    far = told["rooms"][1]
    for part in ("people", "seats", "board", "sound"):
        assert far[part]["reason"] == "not-observed"
        assert far[part]["coverage"] == 0
    assert (far["people"]["median"], far["seats"]["shares"], far["board"]["share"]) == (None, None, None)
    assert far["slides"] == []
    for where, one in figures(told["measures"]):
        assert one["value"] is None, where


@settings(max_examples=30, deadline=None)
@given(odd_rooms | lectures, st.floats(0.1, 0.9), st.randoms(use_true_random=False))
def test_lines_cut_in_two_and_in_another_order_give_the_same_report(told, cut: float, order):
    whole = [voices(one) for one in told]
    cut_up = [voices(RoomVoices(one.room, one.role, pieces(list(one.spans), [cut]))) for one in told]
    for lines in cut_up:
        order.shuffle(lines)
    one, other = (report(order_of(LENGTH_S), lines) for lines in (whole, cut_up))
    for room in (*one["rooms"], *other["rooms"]):
        del room["observations"], room["unreadable"]
    assert close(one, other)


def close(one: Any, other: Any) -> bool:
    """The same but for the rounding of pieces to the millisecond."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(close(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(close(*pair) for pair in zip(one, other, strict=True))
    if isinstance(one, float) and isinstance(other, float):
        return abs(one - other) <= 2e-3
    return bool(one == other)


def test_an_observation_is_what_these_lines_are():
    assert Observation.model_validate(line("people", 1.0, {"count": 3})).value == {"count": 3}
