"""Rounds go on whatever happens in them: at once when woken, ever later while they fail."""

import random
import threading

from agent.rounds import BACK_OFF_MOST_S, LOOK_S, WAITING_S, Looked, Rounds
from tests.patience import until


class Waited(threading.Event):
    """An event nobody waits for: it notes how long somebody would have, until `most` times."""

    def __init__(self, most):
        super().__init__()
        self.pauses, self._most, self.woken = [], most, False

    def wait(self, timeout=None):
        self.pauses.append(timeout)
        if len(self.pauses) >= self._most:
            self.ended()
        return self.woken


def pauses(come_to, most):
    """How long rounds wait that come to these things in turn, the last again and again."""
    left = list(come_to)

    def look():
        found = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(found, Exception):
            raise found
        return found

    rounds = Rounds("test", look, random.Random(1))
    rounds._wake = waited = Waited(most)
    waited.ended = rounds.stopping.set
    rounds._run()
    return waited.pauses


def test_nothing_left_to_do_is_looked_at_every_minute_and_what_waits_for_a_lesson_soon():
    assert pauses([Looked.DONE, Looked.WAITING, Looked.DONE], 3) == [LOOK_S, WAITING_S, LOOK_S]


def test_what_fails_is_tried_ever_later_and_never_given_up():
    found = pauses([Looked.FAILED], 40)
    assert found[0] <= 2.0
    assert max(found) <= BACK_OFF_MOST_S
    assert max(found[20:]) > 100.0


def test_a_fault_is_a_failure_and_ends_nothing():
    found = pauses([OSError("disk"), Looked.DONE], 2)
    assert found[0] <= 2.0
    assert found[1] == LOOK_S


def test_whoever_is_woken_looks_at_once_and_ends_when_told():
    looked = []
    rounds = Rounds("test", lambda: looked.append(1) or Looked.DONE)
    rounds.start()
    until(lambda: len(looked) == 1)
    rounds.wake()
    until(lambda: len(looked) == 2)
    assert rounds.stop()
    assert len(looked) == 2


def test_what_never_began_can_be_stopped():
    assert Rounds("test", lambda: Looked.DONE).stop()
