"""A command goes out once it is kept, again until it is answered, and what came of it is known."""

import time

import pytest

from contract import topics
from contract.command import RESULT_LIMIT_BYTES, Outcome, Result
from contract.envelope import sign
from contract.keys import new_device_key, public_pem
from hub.fleet import commands as module
from hub.fleet.commands import WAITING_MAX, Wanted
from hub.fleet.devices import NewDevice
from hub.fleet.errors import CommandRefused, DeviceUnknown
from hub.store.commands import MOVES, CommandState, may_become
from tests.agent.report.brokers import KINDS, wait_for


@pytest.mark.parametrize("broker", KINDS, indirect=True)
def test_a_command_reaches_its_device_and_its_answer_is_kept(hub, devices):
    (one,) = devices("d-1")
    (made,) = hub.commands.issue(Wanted("identify", {"seconds": 3}, ("d-1",)), "li-jing")
    assert wait_for(lambda: hub.state(made.id) == "done")
    known = hub.commands.get(made.id)
    assert (known.operator, known.words, known.device) == ("li-jing", "好", "d-1")
    assert '"of":"d-1"' in known.result
    assert one.got[0][1].arguments == {"seconds": 3.0}
    assert hub.changed["d-1"] == 1


def test_every_device_of_a_school_or_of_the_district_gets_a_command_of_its_own(hub, devices):
    devices("d-1", "d-2", school="石桥")
    devices("d-3", school="城关")
    school = hub.commands.issue(Wanted("ping", school="石桥"), "op")
    assert [one.device for one in school] == ["d-1", "d-2"]
    everyone = hub.commands.issue(Wanted("ping", every=True), "op")
    assert [one.device for one in everyone] == ["d-1", "d-2", "d-3"]
    made = [one.id for one in (*school, *everyone)]
    assert len(set(made)) == 5
    assert wait_for(lambda: {hub.state(one) for one in made} == {"done"})


def test_a_device_that_comes_in_time_gets_what_it_missed(hub, devices):
    (one,) = devices("d-1", connected=False)
    (made,) = hub.commands.issue(Wanted("ping", devices=("d-1",)), "op")
    one.connect()
    hub.commands.hello("d-1")
    assert wait_for(lambda: hub.state(made.id) == "done")


def test_what_is_unanswered_is_sent_again_the_same_bytes_and_the_first_answer_counts(hub, devices, monkeypatch):
    monkeypatch.setattr(module, "RESEND_S", (0.1, 0.1))
    (one,) = devices("d-1", answers=False)
    assert wait_for(lambda: hub.devices.online("d-1"))
    (made,) = hub.commands.issue(Wanted("ping", devices=("d-1",)), "op")
    assert wait_for(lambda: len(one.got) >= 3)
    assert len({envelope.to_json() for envelope, _ in one.got}) == 1
    one.answer(made.id, Outcome.FAILED, words="第一")
    assert wait_for(lambda: hub.state(made.id) == "failed")
    one.answer(made.id, Outcome.DONE, words="第二")
    (marker,) = hub.commands.issue(Wanted("ping", devices=("d-1",)), "op")
    one.answer(marker.id)
    assert wait_for(lambda: hub.state(marker.id) == "done")
    assert hub.commands.get(made.id).words == "第一"


def test_a_hub_that_was_killed_goes_on_with_what_is_unanswered(hub, devices):
    (one,) = devices("d-1", connected=False)
    (made,) = hub.commands.issue(Wanted("ping", devices=("d-1",)), "op")
    hub.stop()
    one.connect()
    hub.start()
    hub.commands.hello("d-1")
    assert wait_for(lambda: hub.state(made.id) == "done")


def test_what_nobody_answers_in_time_is_expired_and_says_why(hub, devices, monkeypatch):
    monkeypatch.setattr(module, "LATE_S", 0.1)
    devices("d-1", connected=False)
    devices("d-2", answers=False)
    assert wait_for(lambda: hub.devices.online("d-2"))
    away, dumb = hub.commands.issue(Wanted("ping", every=True, valid_s=1), "op")
    assert wait_for(lambda: (hub.state(away.id), hub.state(dumb.id)) == ("expired", "expired"))
    assert "away" in hub.commands.get(away.id).words
    assert "did not answer" in hub.commands.get(dumb.id).words


def test_an_answer_that_was_only_late_on_its_way_still_counts(hub, devices, monkeypatch):
    monkeypatch.setattr(module, "LATE_S", 0.1)
    (one,) = devices("d-1", answers=False)
    (made,) = hub.commands.issue(Wanted("restart", devices=("d-1",), valid_s=1), "op")
    assert wait_for(lambda: hub.state(made.id) == "expired")
    one.answer(made.id, Outcome.DONE, words="the service has started anew")
    assert wait_for(lambda: hub.state(made.id) == "done")


def test_nothing_but_the_devices_own_signed_answer_counts(hub, devices):
    one, two = devices("d-1", "d-2", answers=False)
    (made,) = hub.commands.issue(Wanted("ping", devices=("d-1",)), "op")
    one.answer(made.id, key=two.key)
    one.answer(made.id, key=new_device_key())
    one.answer(made.id, device="d-2")
    two.answer(made.id)
    two.answer("no-such-command")
    for data in (b"", b"{}", b"\xff", b"x" * (RESULT_LIMIT_BYTES + 1)):
        one.publish(topics.result("d-1"), data)
    one.publish(topics.result("d-9"), b"{}")
    expected = {
        "d-1": {"bad-signature": 2, "spoofed": 1, "malformed": 3, "oversized": 1},
        "d-2": {"no-such-command": 2},
        "d-9": {"unknown-device": 1},
    }
    assert wait_for(lambda: hub.misfits.counts() == expected), hub.misfits.counts()
    assert hub.state(made.id) == "sent"
    one.answer(made.id)
    assert wait_for(lambda: hub.state(made.id) == "done")


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (Wanted("rstart", every=True), "did you mean restart"),
        (Wanted("identify", {"second": 1}, every=True), "did you mean seconds"),
        (Wanted("ping", school="石乔小学"), "did you mean 石桥小学"),
        (Wanted("ping"), "say for whom"),
        (Wanted("ping", devices=("d-1",), every=True), "say for whom"),
    ],
)
def test_what_cannot_be_sent_is_refused_in_words_and_nothing_is_kept(hub, devices, wanted, words):
    devices("d-1", school="石桥小学")
    with pytest.raises(CommandRefused, match=words):
        hub.commands.issue(wanted, "op")
    assert hub.commands.find() == []


def test_nobody_is_told_anything_where_one_of_the_devices_is_unknown(hub, devices):
    (one,) = devices("d-1")
    with pytest.raises(DeviceUnknown, match="d-2"):
        hub.commands.issue(Wanted("ping", devices=("d-1", "d-2")), "op")
    assert hub.commands.find() == []
    assert one.got == []


def test_a_device_that_answers_nothing_does_not_pile_up_commands(hub, devices):
    devices("d-1", connected=False)
    for _ in range(WAITING_MAX):
        hub.commands.issue(Wanted("ping", devices=("d-1",)), "op")
    with pytest.raises(CommandRefused, match="wait until they expire"):
        hub.commands.issue(Wanted("ping", every=True), "op")


def test_commands_are_found_by_device_state_and_time(hub, devices):
    devices("d-1")
    devices("d-2", answers=False)
    first = hub.commands.issue(Wanted("ping", every=True), "op")
    assert wait_for(lambda: hub.state(first[0].id) == "done")
    second = hub.commands.issue(Wanted("log", devices=("d-2",)), "op")
    found = hub.commands.find
    assert {one.id for one in found(device="d-2")} == {first[1].id, second[0].id}
    assert [one.id for one in found(state=CommandState.DONE)] == [first[0].id]
    assert [one.id for one in found(since=second[0].issued)] == [second[0].id]
    assert len(found(limit=2)) == 2


def test_a_whole_fleet_is_told_at_once_each_device_its_own(hub, devices):
    """One client stands for all: what counts is what the hub sends and keeps."""
    (ear,) = devices("d-0", answers=False)
    ear.client.subscribe("tt/v1/+/command", 1)
    pem = public_pem(ear.key)
    for number in range(1, 400):
        hub.devices.register(NewDevice(f"d-{number}", f"room-{number}", "", "", pem))
    made = hub.commands.issue(Wanted("ping", every=True), "op")
    assert len(made) == 400
    assert wait_for(lambda: {envelope.id for envelope, _ in ear.got} == {one.id for one in made})
    for envelope, command in list(ear.got):
        result_of(ear, command.device, envelope.id)
    assert wait_for(lambda: not hub.store.commands.waiting())


def result_of(ear, device, ref):
    result = Result(device=device, ref=ref, outcome=Outcome.DONE, at=time.time())
    ear.publish(topics.result(device), sign(result, ear.key, time.time(), 60).to_json())


def test_old_commands_are_forgotten_and_unanswered_ones_are_not(hub, devices):
    devices("d-1")
    devices("d-2", answers=False)
    made = hub.commands.issue(Wanted("ping", every=True), "op")
    assert wait_for(lambda: hub.state(made[0].id) == "done")
    assert hub.store.commands.forget(time.time() - 10) == 0
    assert hub.store.commands.forget(time.time() + 10) == 1
    assert [one.id for one in hub.commands.find()] == [made[1].id]


def test_what_was_answered_once_stays_as_it_was_answered():
    for state in CommandState:
        for to in CommandState:
            assert may_become(state, to) == (to in MOVES[state])
    assert not any(MOVES[state] for state in CommandState if state not in {CommandState.SENT, CommandState.EXPIRED})
