import asyncio
import threading
import time
import wave
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from agent.capture.frame import Block
from agent.lesson import Lesson
from agent.observe.observer import Observer
from agent.recording import RoomRecording
from agent.stream.played import PlayedTaker
from contract.session import Policy, Role
from tests.agent import test_lesson
from tests.agent.test_lesson import LEAD, order

house, told = test_lesson.house, test_lesson.told


class Playing:
    """A playout that plays all the time, on a thread of its own."""

    def __init__(self) -> None:
        self.takers: list[PlayedTaker] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._play)
        self._thread.start()

    def picture(self, room, track, picture):
        """Shown nowhere."""

    def sound(self, room, samples):
        """Played anyway."""

    def add_played_taker(self, take):
        self.takers.append(take)

    def remove_played_taker(self, take):
        self.takers.remove(take)

    def close(self):
        self._stop.set()
        self._thread.join()

    def _play(self):
        while not self._stop.wait(0.02):
            for take in list(self.takers):
                take(Block(np.ones(960, np.int16), time.monotonic_ns()))


class Overhearing(Observer):
    """An observer that writes down when what it is fed was played."""

    played: list[int]
    worn: list[int]

    def feed_teacher(self, block):
        self.worn.append(block.mono_ns)
        super().feed_teacher(block)

    def feed_played(self, block):
        self.played.append(block.mono_ns)
        super().feed_played(block)


async def test_the_observer_is_told_what_the_loudspeaker_plays_during_the_lesson_and_at_no_other_time(
    house, told, tmp_path
):
    Overhearing.played = []
    playing = Playing()
    made = order(2.0, 3.0, Policy(record=True, observe=True))
    observed = replace(
        house, playout=playing, observer=lambda **more: Overhearing(tmp_path / "no-models", boot="boot", **more)
    )
    try:
        lesson = Lesson(made, LEAD, observed)
        await lesson.run()
        clock = house.standpoint.clock
        at_s = [clock.hub_ns(mono_ns) / 1e9 - made.epoch for mono_ns in Overhearing.played]
        assert at_s
        assert min(at_s) >= 0
        assert max(at_s) < 3.0
        assert playing.takers == [], "the loudspeaker outlives the lesson"
        told = len(Overhearing.played)
        await asyncio.sleep(0.1)
        assert len(Overhearing.played) == told
    finally:
        playing.close()


async def test_what_the_teacher_wears_is_observed_during_the_lesson_and_is_no_part_of_what_is_kept(
    house, told, tmp_path
):
    Overhearing.worn = []
    path = tmp_path / "worn.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 48_000, 0, "NONE", ""))
        file.writeframes(np.full(48_000, 5_000, np.int16).tobytes())
    made = order(2.0, 3.0, Policy(record=True, observe=True))
    worn = replace(
        house, lapel=f"file:{path}", observer=lambda **more: Overhearing(tmp_path / "no-models", boot="boot", **more)
    )
    lesson = Lesson(made, LEAD, worn)
    await lesson.run()
    clock = house.standpoint.clock
    at_s = [clock.hub_ns(mono_ns) / 1e9 - made.epoch for mono_ns in Overhearing.worn]
    assert len(at_s) > 50
    assert min(at_s) >= 0
    assert max(at_s) < 3.0
    assert not [one for one in threading.enumerate() if one.name == "lapel"], "it is let go of with the lesson"
    assert {one.track for one in lesson.result.recording} == {"camera", "slides"}


async def test_a_teachers_microphone_that_is_not_there_is_told_and_the_lesson_goes_on(house, told, tmp_path):
    lesson = Lesson(order(2.0, 5.0), LEAD, replace(house, lapel=f"file:{tmp_path / 'away.wav'}"))
    await lesson.run()
    assert lesson.state == "uploaded"
    assert len([one for one in lesson.words if "the teacher's microphone is not heard" in one]) == 1


@pytest.mark.parametrize("role", Role)
def test_words_are_told_of_the_teacher_of_the_lead_room_alone(house, role: Role):
    asked = []
    time_ = SimpleNamespace(at=float, counts=bool)
    room = LEAD.model_copy(update={"role": role})
    classroom = SimpleNamespace(videos={}, mic=None, add_camera_observer=lambda take: None)
    recording = RoomRecording(room, house, time_, print)
    recording._observe(classroom, lambda **more: asked.append(more["words"]) or SimpleNamespace(start=bool), None)
    assert asked == [role is Role.LEAD]
