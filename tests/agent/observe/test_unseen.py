"""Rooms of which nothing is seen: what is told of people is that they are unknown, and never that nobody is there."""

from pathlib import Path

import numpy as np
import pytest

from agent.observe.observer import ObserverState
from agent.observe.timeline import summary
from contract.observation import Observation
from hub.insight.room import board, people, seats
from tests.agent.observe.pages import page
from tests.agent.observe.rooms import Notes, Room, observer, until

pytestmark = pytest.mark.paired
SECONDS = 6.0
QUIET = np.zeros(48_000, np.int16)
DARK = np.random.default_rng(1).integers(0, 5, (384, 640, 3)).astype(np.uint8)


def observed(models: Path, room: Room) -> list[Observation]:
    notes = Notes()
    one = observer(models, notes, flush_s=60.0)
    one.start()
    assert until(lambda: one.state is ObserverState.WELL, 60)
    room.play(one, SECONDS)
    one.stop()
    assert notes.troubles == []
    return notes.observations


def check_unknown(told: list[Observation]) -> None:
    found = summary(told)
    assert (found.people.median, found.people.known) == (None, False)
    assert found.slides >= 1, "what else there is goes on"
    assert found.speech_seconds == 0, "it was listened, and nobody spoke"
    for part in (people, seats, board):
        figure = part(told, SECONDS)
        assert "reason" in figure
        assert figure["coverage"] == 0
    assert people(told, SECONDS)["median"] is None


def test_a_room_without_a_camera_has_an_unknown_number_of_people_and_all_the_rest(models: Path):
    told = observed(models, Room(None, [page(0), page(1)], QUIET))
    assert not {"people", "seats", "board"} & {one.kind for one in told}
    check_unknown(told)
    assert people(told, SECONDS)["reason"] == "not-observed"


def test_a_dark_room_is_looked_at_and_told_as_unknown_not_as_empty(models: Path):
    told = observed(models, Room(DARK, [page(0), page(1)], QUIET))
    counts = [one.value for one in told if one.kind == "people"]
    assert len(counts) >= 3
    assert all(value == {"count": None} for value in counts)
    check_unknown(told)
    assert people(told, SECONDS)["reason"] == "coverage"
