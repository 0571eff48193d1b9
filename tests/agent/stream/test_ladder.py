import itertools
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.stream import ladder, rung
from agent.stream.ladder import CLIMB_MAX_S, CLIMB_S, STARVED_S, Look, Standing, Told, begin, needed_bps, step
from agent.stream.ladders import Ladders, LossShare, Stand, rung_event, stand_of, whole_room
from agent.stream.rung import LADDER, MOVES, Rung, RungRefused, Why, Words, moved, words_for
from contract.session import Role

EACH_S = 0.2
GOOD = Look(
    connected=True,
    sound_age_s=0.02,
    picture_age_s=0.04,
    target_bps=3_000_000,
    round_trip_ms=40,
    told=Told(Rung.BOTH, hears=True),
)
LOSSY = replace(GOOD, sound_lost=0.1)
STARVED = replace(GOOD, target_bps=100_000)
SILENCE = Look(connected=True)
"""Nothing comes; `Run` fills in since when."""


class Run:
    """One ladder, looked at five times a second; keeps every standing."""

    def __init__(self, role: Role = Role.RECEIVING) -> None:
        self.role = role
        self.now_s = 1000.0
        self.quiet_s = 0.0
        self.standing = begin(self.now_s)
        self.past: list[tuple[float, Standing]] = [(self.now_s, self.standing)]

    def see(self, look: Look, seconds: float) -> "Run":
        for _ in range(round(seconds / EACH_S)):
            self.now_s += EACH_S
            silent = look.sound_age_s is None and look.picture_age_s is None and look.told is None
            self.quiet_s = self.quiet_s + EACH_S if silent else 0.0
            heard = len(self.past) > 1 and any(one.why is not Why.JOINING for _, one in self.past)
            seen = replace(look, sound_age_s=self.quiet_s) if silent and heard else look
            self.standing = step(self.standing, seen, self.role, self.now_s)
            self.past.append((self.now_s, self.standing))
        return self

    @property
    def rung(self) -> Rung:
        return self.standing.rung

    @property
    def stand(self) -> Stand:
        return stand_of(self.standing, self.role)

    def until(self, look: Look, wanted: Rung, within_s: float) -> float:
        began_s = self.now_s
        while self.rung is not wanted:
            assert self.now_s - began_s <= within_s, f"{self.rung} after {within_s} s"
            self.see(look, EACH_S)
        return self.now_s - began_s


def joined(role: Role = Role.RECEIVING) -> Run:
    run = Run(role).see(GOOD, 3)
    assert run.rung is Rung.BOTH
    return run


def test_a_room_that_was_not_heard_yet_is_alone_but_sends_its_camera_at_once():
    run = Run()
    assert run.rung is Rung.ALONE
    assert run.stand.send_camera
    assert run.stand.words.zh.startswith("正在连接")
    assert run.until(GOOD, Rung.BOTH, 2) <= 2
    assert run.standing.why is Why.FINE


@pytest.mark.parametrize(
    ("role", "look", "rungs", "why"),
    [
        (Role.RECEIVING, replace(GOOD, target_bps=160_000), Rung.ONE_WAY, Why.STARVED),
        (Role.RECEIVING, replace(GOOD, target_bps=60_000), Rung.SOUND, Why.STARVED),
        (Role.LEAD, replace(GOOD, target_bps=180_000), Rung.SOUND, Why.STARVED),
        (Role.LEAD, replace(GOOD, sound_lost=0.1), Rung.ONE_WAY, Why.LOSSY),
        (Role.LEAD, replace(GOOD, sound_lost=0.25), Rung.SOUND, Why.LOSSY),
        (Role.RECEIVING, replace(GOOD, sound_lost=0.1), Rung.SOUND, Why.LOSSY),
        (Role.RECEIVING, replace(GOOD, sound_lost=0.5), Rung.ALONE, Why.LOSSY),
        (Role.LEAD, replace(GOOD, frozen=True), Rung.ONE_WAY, Why.FROZEN),
        (Role.RECEIVING, replace(GOOD, frozen=True), Rung.SOUND, Why.FROZEN),
        (Role.RECEIVING, replace(GOOD, round_trip_ms=1500.0), Rung.SOUND, Why.SLOW),
        (Role.LEAD, replace(GOOD, told=Told(Rung.SOUND, hears=True)), Rung.SOUND, Why.ASKED),
        (Role.RECEIVING, replace(GOOD, sound_lost=0.03), Rung.BOTH, Why.FINE),
        (Role.RECEIVING, replace(GOOD, target_bps=None, round_trip_ms=None, told=None), Rung.BOTH, Why.FINE),
        (Role.RECEIVING, replace(GOOD, round_trip_ms=650.0), Rung.BOTH, Why.FINE),
    ],
)
def test_each_trouble_leads_to_the_rung_that_takes_what_is_in_its_way(role: Role, look: Look, rungs: Rung, why: Why):
    run = joined(role)
    run.until(look, rungs, 12)
    assert run.see(look, EACH_S).standing.why is why
    began_s = run.now_s
    assert all(one.rung.depth <= rungs.depth for now_s, one in run.see(look, 15).past if now_s > began_s)


def test_the_far_classs_picture_goes_first_the_lead_rooms_second_slides_and_sound_stay():
    far, lead = joined(Role.RECEIVING), joined(Role.LEAD)
    given_up: list[str] = []
    for _ in range(40):
        far.see(LOSSY, EACH_S)
        lead.see(replace(GOOD, told=far.standing.told), EACH_S)
        for name, run in (("far", far), ("lead", lead)):
            if not run.stand.send_camera and name not in given_up:
                given_up.append(name)
    assert given_up == ["far", "lead"]
    assert far.rung is lead.rung is Rung.SOUND
    assert far.stand.ask_camera_off


def test_trouble_costs_a_rung_within_two_seconds_and_a_short_burst_costs_nothing():
    assert joined().until(LOSSY, Rung.ONE_WAY, 2) <= 2
    assert joined().until(replace(LOSSY, camera_full=True), Rung.ONE_WAY, 2.4) <= 2.4
    assert joined().until(STARVED, Rung.ONE_WAY, 5) >= STARVED_S
    assert joined().see(replace(GOOD, sound_lost=0.3), 1.0).see(GOOD, 1).rung is Rung.BOTH


def test_one_relief_is_tried_before_the_next_rung_is_given_up():
    run = joined().see(LOSSY, 1.6)
    assert run.see(LOSSY, 1.0).see(GOOD, 2).rung is Rung.ONE_WAY


def test_a_slow_link_takes_rung_after_rung_and_a_good_one_gives_them_back_one_by_one():
    run = joined().see(LOSSY, 6)
    assert run.rung is Rung.SOUND
    first = run.until(GOOD, Rung.ONE_WAY, 6)
    second = run.until(GOOD, Rung.BOTH, 6)
    assert min(first, second) >= CLIMB_S - EACH_S


def test_each_failed_climb_makes_the_next_one_wait_twice_as_long_up_to_half_a_minute():
    run = joined().see(LOSSY, 6)
    waits = []
    for _ in range(5):
        waits.append(run.until(GOOD, Rung.ONE_WAY, 40))
        run.until(LOSSY, Rung.SOUND, 3)
    assert waits == pytest.approx([5, 10, 20, 30, 30], abs=0.7)


def test_a_climb_that_lasted_makes_the_next_wait_short_again():
    run = joined().see(LOSSY, 6)
    run.until(GOOD, Rung.ONE_WAY, 6)
    run.until(LOSSY, Rung.SOUND, 3)
    run.until(GOOD, Rung.BOTH, 40)
    run.see(GOOD, 35).until(LOSSY, Rung.ONE_WAY, 3)
    assert run.until(GOOD, Rung.BOTH, 10) <= CLIMB_S + 1


def test_silence_leads_to_teaching_alone_within_three_seconds_and_a_dead_transport_sooner():
    assert joined().until(SILENCE, Rung.ALONE, 3) <= 3
    run = joined()
    assert run.until(replace(SILENCE, connected=False), Rung.ALONE, 1.6) <= 1.6
    assert "请现场老师用本课材料继续上课" in run.stand.words.zh
    assert "自动接上" in run.stand.words.zh


def test_after_an_outage_everything_is_back_within_two_seconds_and_cameras_are_sent_at_once():
    run = joined().see(GOOD, 10).see(SILENCE, 10)
    assert run.stand.send_camera
    assert run.see(GOOD, EACH_S).rung is Rung.SOUND
    assert run.until(GOOD, Rung.BOTH, 2) <= 1.4


def test_what_an_outage_swallowed_is_not_held_against_the_link_that_returned():
    run = joined().see(GOOD, 10).see(SILENCE, 10)
    run.see(replace(GOOD, sound_lost=1.0), 1.0).see(GOOD, 1)
    assert run.rung is Rung.BOTH


def test_a_short_change_of_network_is_not_noticed():
    run = joined().see(replace(SILENCE, connected=False), 0.8).see(GOOD, 3)
    assert {one.rung for now, one in run.past if now > 1003} == {Rung.BOTH}


def test_a_link_that_comes_and_goes_is_not_believed_a_second_time():
    run = joined().see(GOOD, 10).see(SILENCE, 5).see(GOOD, 2).see(SILENCE, 4)
    assert not run.stand.send_camera
    assert run.see(GOOD, 8).rung is Rung.ALONE
    assert run.until(GOOD, Rung.BOTH, 45) >= 20


def test_a_room_without_a_microphone_is_not_alone_and_climbs_back():
    mute = replace(GOOD, sound_age_s=None)
    run = joined().see(LOSSY, 6)
    run.see(replace(mute, picture_age_s=None), 12)
    assert run.rung is Rung.BOTH


def test_a_camera_that_breaks_is_no_trouble_of_the_link():
    assert joined().see(replace(GOOD, picture_age_s=60.0), 20).rung is Rung.BOTH


def test_congestion_control_is_asked_to_try_what_the_next_rung_needs_before_the_camera_is_sent():
    run = joined(Role.LEAD).see(replace(GOOD, target_bps=150_000), 15)
    assert run.rung is Rung.SOUND
    assert run.stand.probe_bps == 1.25 * needed_bps(Role.LEAD, Rung.ONE_WAY)
    assert run.standing.why is Why.STARVED
    run.see(replace(GOOD, target_bps=run.stand.probe_bps), EACH_S)
    assert run.standing.carries is Rung.ONE_WAY
    assert joined().see(GOOD, 20).stand.probe_bps == 0


def test_what_the_other_side_asks_for_is_kept_for_a_moment_when_its_words_are_lost():
    run = joined(Role.LEAD).see(replace(GOOD, told=Told(Rung.ONE_WAY, hears=True)), 2)
    assert run.see(replace(GOOD, told=None), 1.6).rung is Rung.ONE_WAY
    assert run.see(replace(GOOD, told=None), 2).rung is Rung.BOTH


def test_a_room_that_is_not_heard_over_there_is_told_so():
    run = joined(Role.LEAD).see(replace(GOOD, told=Told(Rung.BOTH, hears=False)), 1)
    assert "对方听不到本教室" in run.stand.words.zh
    assert "does not hear" in run.stand.words.en


@pytest.mark.parametrize("role", Role)
def test_two_ladders_come_to_the_same_rung_and_do_not_hold_each_other_down(role: Role):
    runs = {one: joined(one) for one in Role}
    other = Role.LEAD if role is Role.RECEIVING else Role.RECEIVING

    def both(look: Look, seconds: float) -> None:
        for _ in range(round(seconds / EACH_S)):
            told = {one: run.standing.told for one, run in runs.items()}
            runs[role].see(replace(look, told=told[other]), EACH_S)
            runs[other].see(replace(GOOD, told=told[role]), EACH_S)

    both(LOSSY, 8)
    assert runs[role].rung is runs[other].rung is not Rung.BOTH
    both(GOOD, 16)
    assert runs[role].rung is runs[other].rung is Rung.BOTH
    assert all(run.stand.send_camera for run in runs.values())


TOLD = st.one_of(st.none(), st.builds(Told, st.sampled_from(Rung), st.booleans()))
LOOKS = st.one_of(
    st.just(SILENCE),
    st.just(replace(SILENCE, connected=False)),
    st.just(GOOD),
    st.builds(
        Look,
        connected=st.booleans(),
        sound_age_s=st.sampled_from([None, 0.02, 1.5, 5.0]),
        picture_age_s=st.sampled_from([None, 0.04, 3.0]),
        told=TOLD,
        sound_lost=st.sampled_from([0.0, 0.03, 0.1, 0.3, 0.6]),
        frozen=st.booleans(),
        target_bps=st.sampled_from([None, 30_000, 120_000, 250_000, 3_000_000]),
        camera_full=st.booleans(),
        round_trip_ms=st.sampled_from([None, 40.0, 1000.0, 2000.0]),
    ),
)
STORIES = st.lists(st.tuples(LOOKS, st.integers(1, 60)), max_size=25)
ROLES = st.sampled_from(Role)


def told_by(role: Role, story: list[tuple[Look, int]], *, alone: bool = False) -> Run:
    run = Run(role)
    for look, looks in story:
        run.see(replace(look, told=None) if alone else look, looks * EACH_S)
    return run


@settings(max_examples=150, deadline=None)
@given(ROLES, STORIES)
def test_no_story_ever_climbs_more_than_one_rung_at_once(role: Role, story):
    past = [one for _, one in told_by(role, story).past]
    for before, after in itertools.pairwise(past):
        assert moved(before.rung, after.rung) is after.rung
        assert before.rung.depth - after.rung.depth <= 1
        assert before.carries.depth - after.carries.depth <= 1
        assert after.since_s >= before.since_s


@settings(max_examples=150, deadline=None)
@given(ROLES, STORIES)
def test_no_story_climbs_onto_the_same_rung_twice_within_the_hysteresis(role: Role, story):
    past = told_by(role, story, alone=True).past
    climbs: dict[Rung, list[float]] = {one: [] for one in Rung}
    for (_, before), (now_s, after) in itertools.pairwise(past):
        if after.rung.depth < before.rung.depth:
            climbs[after.rung].append(now_s)
    for times in climbs.values():
        later = times[1:]  # the first join is believed at once
        assert all(b - a > CLIMB_S - 1 for a, b in itertools.pairwise(later)), times


@settings(max_examples=150, deadline=None)
@given(ROLES, STORIES)
def test_after_any_story_a_link_that_is_good_for_ever_leads_back_to_the_top(role: Role, story):
    run = told_by(role, story).see(GOOD, 3 * CLIMB_MAX_S + 5)
    assert (run.rung, run.standing.why) == (Rung.BOTH, Why.FINE)
    assert run.stand.send_camera
    assert not run.stand.ask_camera_off
    settled = run.see(GOOD, 35)
    assert settled.standing.hold_s == CLIMB_S


@settings(max_examples=150, deadline=None)
@given(ROLES, STORIES)
def test_after_any_story_three_seconds_of_silence_lead_to_teaching_alone(role: Role, story):
    assert told_by(role, story).see(SILENCE, 3).rung is Rung.ALONE


@settings(max_examples=100, deadline=None)
@given(ROLES, STORIES)
def test_every_standing_has_words_in_both_languages_that_name_what_is_sent(role: Role, story):
    for _, standing in told_by(role, story).past:
        stand = stand_of(standing, role)
        assert stand.words.zh
        assert stand.words.en
        if stand.rung is Rung.BOTH:
            assert stand.send_camera
            assert not stand.ask_camera_off


@given(st.one_of(st.text(max_size=80), st.just('{"carries": "roof", "hears": 1}'), st.just("[" * 5000)))
def test_a_foreign_line_is_no_word_of_the_other_side(line: str):
    assert Told.read(line) is None


@given(TOLD.filter(lambda one: one is not None))
def test_what_one_side_tells_the_other_side_reads(told: Told):
    assert Told.read(told.line()) == told


def test_a_leap_upwards_is_refused_in_words():
    with pytest.raises(RungRefused, match="from rung alone one cannot go to both at once; allowed from here: sound"):
        moved(Rung.ALONE, Rung.BOTH)
    assert set(MOVES) == set(Rung)
    assert [one.depth for one in LADDER] == [0, 1, 2, 3]
    assert [one.zh for one in LADDER] == ["双向互动", "单向画面", "声音和课件", "本地教学"]
    assert all(rung.NAMES[one].en for one in Rung)


def test_thresholds_leave_room_between_trouble_and_good():
    assert ladder.LOST_GOOD < ladder.LOST_TROUBLE < ladder.LOST_BAD < ladder.LOST_UNUSABLE
    assert ladder.ROUND_TRIP_GOOD_MS < ladder.ROUND_TRIP_TROUBLE_MS
    assert ladder.LOSS_WINDOW_S < ladder.DOWN_S < ladder.PATIENT_S


def test_each_change_of_a_rung_is_told_once_with_the_rung_before():
    told: list[tuple[str, Rung, Rung]] = []
    ladders = Ladders(
        Role.LEAD, ("class-a", "class-b"), 0.0, lambda room, stand, was: told.append((room, was, stand.rung))
    )
    for look in range(1, 20):
        ladders.look("class-a", GOOD, look * EACH_S)
    assert told == [
        ("class-a", Rung.ALONE, Rung.SOUND),
        ("class-a", Rung.SOUND, Rung.ONE_WAY),
        ("class-a", Rung.ONE_WAY, Rung.BOTH),
    ]
    assert ladders.stands["class-b"].rung is Rung.ALONE


def test_the_share_of_lost_sound_looks_back_over_one_second():
    loss = LossShare()
    assert [loss.share(lost, at) for lost, at in ((100, 0.0), (105, 0.5), (110, 1.0))] == [0.0, 0.1, 0.2]
    assert loss.share(110, 1.5) == pytest.approx(0.1)
    assert loss.share(110, 2.0) == 0.0
    assert loss.share(900, 2.2) == 1.0


def stand(on: Rung, why: Why = Why.LOSSY) -> Stand:
    words = words_for(Role.LEAD, on, why)
    return Stand(on, 0.0, why, True, False, 0, Told(on, hears=True), words)


def test_the_event_of_a_change_names_both_rungs_and_the_reason_in_words():
    told = rung_event("class-a", stand(Rung.SOUND), Rung.BOTH)
    assert (told["peer"], told["before"], told["rung"], told["why"]) == ("class-a", "both", "sound", "lossy")
    assert told["words_zh"].startswith("网络很差")
    assert told["words_en"].startswith("Very poor network")


NAMES = {"a": "东村小学", "b": "西村小学", "c": "南村小学"}


def test_a_teacher_who_still_reaches_one_class_is_not_alone_and_reads_which_room_is_cut_off():
    whole = whole_room({"a": stand(Rung.BOTH), "b": stand(Rung.ALONE, Why.SILENT)}, NAMES)
    assert whole is not None
    assert (whole.rung, whole.room, whole.cut_off) == (Rung.BOTH, "a", ("b",))
    assert whole.words == Words("双向互动正常；已断开：西村小学", "Picture and sound go both ways; cut off: 西村小学")


def test_among_rooms_in_reach_the_weakest_decides_and_is_named():
    whole = whole_room({"a": stand(Rung.BOTH), "b": stand(Rung.SOUND), "c": stand(Rung.ONE_WAY)}, NAMES)
    assert whole is not None
    assert (whole.rung, whole.room) == (Rung.SOUND, "b")
    assert whole.words.zh.startswith("西村小学：网络很差")


def test_only_when_every_room_is_cut_off_the_teacher_is_alone():
    whole = whole_room({"a": stand(Rung.ALONE, Why.SILENT), "b": stand(Rung.ALONE, Why.SILENT)}, NAMES)
    assert whole is not None
    assert (whole.rung, whole.cut_off) == (Rung.ALONE, ())
    assert whole_room({}, NAMES) is None
