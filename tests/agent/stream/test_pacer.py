import random

from agent.stream.pacer import FASTEST, LATE_US, REPAIRS_MAX, SOUND_MAX, Pacer, Priority

CAMERA, REPAIR, SLIDES, SOUND = Priority.CAMERA, Priority.REPAIR, Priority.SLIDES, Priority.SOUND


def put_picture(pacer, name, size, now_us, keyframe=False, priority=CAMERA):
    return [
        pacer.put(min(1150, size - at), priority, (name, at, now_us), now_us, picture=hash(name), keyframe=keyframe)
        for at in range(0, size, 1150)
    ]


def run(pacer, from_us, to_us):
    """What leaves, as (time, payload), when the pacer is asked as it wants to be asked."""
    left, now_us = [], from_us
    while now_us <= to_us:
        left += [(now_us, payload) for payload in pacer.take(now_us)]
        due_us = pacer.next_us(now_us)
        if due_us is None:
            break
        assert due_us > now_us
        now_us = due_us
    return left


def test_an_ordinary_picture_leaves_at_once():
    pacer = Pacer(2_000_000)
    put_picture(pacer, "p", 9_000, 0)
    assert len(pacer.take(0)) == 8
    assert pacer.next_us(0) is None


def test_a_keyframe_does_not_leave_as_one_burst_and_is_gone_within_a_quarter_of_a_second():
    pacer = Pacer(2_000_000)
    put_picture(pacer, "key", 50_000, 0, keyframe=True)
    left = run(pacer, 0, 1_000_000)
    assert sum(1150 for at_us, _ in left if at_us == 0) <= 12_000
    assert len(left) == 44
    assert left[-1][0] <= 250_000
    for start_us in range(0, 250_000, 10_000):
        inside = [at_us for at_us, _ in left if start_us < at_us <= start_us + 50_000]
        assert len(inside) * 1150 <= FASTEST * 2_000_000 * 0.054 / 8 + 1150


def test_what_leaves_in_the_long_run_is_never_faster_than_the_fastest_rate():
    pacer = Pacer(300_000)
    put_picture(pacer, "key", 30_000, 0, keyframe=True)
    left = run(pacer, 0, 400_000)
    assert len(left) * 1150 <= 300_000 * FASTEST * 0.4 / 8 + 2 * 1500


def test_sound_never_waits_behind_a_keyframe():
    pacer = Pacer(300_000)
    put_picture(pacer, "key", 30_000, 0, keyframe=True)
    pacer.take(0)
    for now_us in range(20_000, 200_000, 20_000):
        pacer.put(110, SOUND, "sound", now_us)
        assert pacer.next_us(now_us) == now_us
        assert pacer.take(now_us)[0] == "sound"


def test_repairs_leave_before_slides_and_slides_before_the_camera():
    pacer = Pacer(1_000_000)
    for priority in (CAMERA, SLIDES, REPAIR, SOUND):
        pacer.put(1_000, priority, priority, 0, picture=1, keyframe=True)
    assert pacer.take(0) == [SOUND, REPAIR, SLIDES, CAMERA]


def test_a_picture_that_has_begun_is_finished_and_the_late_ones_go_whole():
    told = []
    pacer = Pacer(200_000, lambda priority, packets: told.append((priority, packets)))
    put_picture(pacer, "begun", 46_000, 0, keyframe=True)
    put_picture(pacer, "late", 4_000, 40_000)
    first = run(pacer, 0, 450_000)
    put_picture(pacer, "fresh key", 3_000, 480_000, keyframe=True)
    first += run(pacer, 484_000, 700_000)
    put_picture(pacer, "after it", 2_000, 700_000)
    left = first + run(pacer, 702_000, 5_000_000)
    names = [payload[0] for _, payload in left]
    assert names.count("begun") == 40
    assert "late" not in names
    assert names.count("fresh key") == 3
    assert names.count("after it") == 2
    assert pacer.superseded == 4
    assert told == []


def test_when_no_keyframe_waits_the_camera_is_refused_until_one_comes():
    told = []
    pacer = Pacer(60_000, lambda priority, packets: told.append((priority, packets)))
    put_picture(pacer, "begun", 3_000, 0, keyframe=True)
    pacer.take(0)
    put_picture(pacer, "late", 40_000, 1_000)
    pacer.put(1150, REPAIR, "repair", 500_000)
    assert put_picture(pacer, "refused", 1_000, 600_000) == [False]
    assert put_picture(pacer, "key", 2_000, 640_000, keyframe=True) == [True, True]
    assert put_picture(pacer, "next", 1_000, 680_000) == [True]
    assert sum(packets for priority, packets in told if priority is CAMERA) == 36
    names = {payload[0] for _, payload in run(pacer, 680_000, 3_000_000)}
    assert "refused" not in names
    assert {"key", "next"} <= names


def test_slides_wait_longer_than_the_camera_before_they_are_dropped():
    pacer = Pacer(100_000)
    put_picture(pacer, "slide", 30_000, 0, keyframe=True, priority=SLIDES)
    names = [payload[0] for _, payload in run(pacer, 0, 4_000_000)]
    assert names.count("slide") == 27
    assert LATE_US[SLIDES] > LATE_US[CAMERA]


def test_a_keyframe_takes_the_place_of_what_a_link_that_is_behind_has_left_waiting():
    told = []
    pacer = Pacer(300_000, lambda priority, packets: told.append((priority, packets)))
    put_picture(pacer, "begun", 12_000, 0, keyframe=True)
    pacer.take(0)
    for number in range(1, 6):
        put_picture(pacer, f"old {number}", 3_000, number * 40_000)
    pacer.put(1150, REPAIR, ("repair", 0, 0), 50_000)
    put_picture(pacer, "page", 2_000, 60_000, priority=SLIDES)
    put_picture(pacer, "key", 4_000, 240_000, keyframe=True)
    names = [payload[0] for _, payload in run(pacer, 240_000, 5_000_000)]
    assert list(dict.fromkeys(names)) == ["page", "begun", "key"]
    assert (pacer.superseded, told) == (5 * 3 + 1, [])
    assert pacer.waiting_us(5_000_000) == 0


def test_a_keyframe_on_a_link_that_keeps_up_takes_nothings_place():
    pacer = Pacer(2_000_000)
    put_picture(pacer, "before", 40_000, 0)
    put_picture(pacer, "key", 4_000, 40_000, keyframe=True)
    assert len(run(pacer, 40_000, 1_000_000)) == 39
    assert pacer.superseded == 0


def test_late_repairs_are_dropped_one_by_one():
    told = []
    pacer = Pacer(60_000, lambda priority, packets: told.append((priority, packets)))
    for number in range(40):
        pacer.put(1150, REPAIR, number, number * 1000)
    left = run(pacer, 0, 3_000_000)
    assert sum(packets for _, packets in told) + len(left) == 40
    assert told
    assert pacer.waiting_bytes == 0


def test_where_nobody_takes_anything_only_so_much_waits():
    told = {SOUND: 0, REPAIR: 0}
    pacer = Pacer(60_000, lambda priority, packets: told.update({priority: told[priority] + packets}))
    for number in range(SOUND_MAX + 7):
        assert pacer.put(110, SOUND, number, number * 20_000)
    for _ in range(REPAIRS_MAX):
        assert pacer.put(1150, REPAIR, "repair", 0)
    assert not pacer.put(1150, REPAIR, "one too many", 0)
    assert told == {SOUND: 7, REPAIR: 1}
    assert pacer.take(0)[:SOUND_MAX] == list(range(7, SOUND_MAX + 7))


def test_a_probe_is_filled_up_with_padding_at_its_rate():
    pacer = Pacer(300_000)
    pacer.take(0)
    pacer.probe(600_000, 100_000, 0)
    padded, now_us = 0, 0
    while (due_us := pacer.next_us(now_us)) is not None:
        now_us = due_us
        pacer.take(now_us)
        while pacer.padding_bytes(now_us) > 0:
            pacer.padded(300)
            padded += 300
    assert 7_000 <= padded <= 8_100
    assert pacer.padding_bytes(200_000) == 0


def test_nothing_is_lost_or_made_up_whatever_comes():
    dice = random.Random(4)
    lost = []
    pacer = Pacer(500_000, lambda _priority, packets: lost.append(packets))
    now_us = put = left = 0
    for number in range(4000):
        now_us += dice.randrange(0, 12_000)
        keyframe = number % 50 == 0
        for _ in range(dice.randrange(1, 5)):
            pacer.put(
                dice.randrange(50, 1200), Priority(dice.randrange(4)), None, now_us, picture=number, keyframe=keyframe
            )
            put += 1
        left += len(pacer.take(now_us))
        if number % 500 == 0:
            pacer.target_bps = dice.randrange(60_000, 3_000_000)
    left += len(run(pacer, now_us, now_us + 20_000_000))
    assert left + sum(lost) + pacer.superseded == put
    assert pacer.waiting_bytes == 0


def test_on_a_wide_link_a_picture_twice_as_large_as_others_waits_only_a_few_milliseconds():
    pacer = Pacer(3_400_000)
    for number in range(50):
        put_picture(pacer, f"p{number}", 9_000, number * 40_000)
        run(pacer, number * 40_000, number * 40_000 + 39_000)
    put_picture(pacer, "large", 27_000, 2_000_000)
    assert run(pacer, 2_000_000, 2_040_000)[-1][0] <= 2_008_000
    assert pacer.next_us(2_040_000) is None
