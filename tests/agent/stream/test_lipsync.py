import random

import pytest

from agent.stream.lipsync import FORGET_MS, HOLD_MAX_MS, LipSync

MS = 1_000_000
OFFSET = 7_000_000 * MS
"""The two rooms' clocks have nothing to do with each other."""


def shown_and_heard(way_ms: float, waiting_ms: float, picture_ms: float, jitter_ms: float) -> list[float]:
    """By how much each picture of 20 s is shown before its sound is heard, in ms."""
    rng = random.Random(1)
    sync = LipSync()
    apart = []
    events = [(at * 20.0, "sound") for at in range(1000)] + [(at * 40.0, "picture") for at in range(500)]
    for captured, kind in sorted(events):
        late = way_ms + rng.uniform(0, jitter_ms)
        capture_ns = OFFSET + round(captured * MS)
        if kind == "sound":
            # What waits at the loudspeaker makes up for what the network varies by.
            at = captured + 20 + late
            sync.heard(capture_ns, round(at * MS), waiting_ms + way_ms + jitter_ms - late)
        else:
            at = captured + picture_ms + late
            at += sync.hold_ms(capture_ns, round(at * MS))
            apart.append(captured + 20 + way_ms + jitter_ms + waiting_ms - at)
    return apart[5:]


@pytest.mark.parametrize("waiting_ms", [20.0, 60.0, 120.0])
@pytest.mark.parametrize("jitter_ms", [0.0, 15.0])
def test_pictures_are_shown_within_40_ms_of_their_sound(waiting_ms, jitter_ms):
    apart = shown_and_heard(way_ms=20, waiting_ms=waiting_ms, picture_ms=12, jitter_ms=jitter_ms)
    assert max(abs(one) for one in apart) <= 40
    assert abs(sum(apart) / len(apart)) < 5


def test_a_picture_is_not_held_where_no_sound_plays():
    assert LipSync().hold_ms(OFFSET, 50 * MS) == 0
    assert LipSync().ahead_ms(OFFSET, 50 * MS) is None


def test_a_picture_that_is_late_itself_is_not_held():
    sync = LipSync()
    sync.heard(OFFSET, 20 * MS, 60)
    assert sync.hold_ms(OFFSET, 300 * MS) == 0
    assert sync.ahead_ms(OFFSET, 300 * MS) == pytest.approx(-220)


def test_pictures_stop_waiting_when_sound_stops():
    sync = LipSync()
    sync.heard(OFFSET, 20 * MS, 60)
    assert sync.hold_ms(OFFSET, 21 * MS) == pytest.approx(59)
    later = round((21 + FORGET_MS) * MS)
    assert sync.hold_ms(OFFSET + later, later) == 0


def test_sound_that_waits_very_long_holds_pictures_only_so_far():
    sync = LipSync()
    sync.heard(OFFSET, 20 * MS, 2000)
    assert sync.hold_ms(OFFSET, 20 * MS) == HOLD_MAX_MS
