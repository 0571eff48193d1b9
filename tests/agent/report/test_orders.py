import pytest

from agent.report.orders import KEPT_S, OrderShelf
from contract.envelope import BadSignature, Malformed, sign
from contract.keys import new_hub_key
from contract.signal import Order, Peer
from tests.agent.report.test_report import order_of

HUB_KEY = new_hub_key()


def shelf_of(folder) -> OrderShelf:
    return OrderShelf(folder, HUB_KEY.public_key(), "d-1")


def envelope_of(rev: int = 1, epoch: float = 1e9, device: str = "d-1", key=HUB_KEY, valid_s: float = 60):
    return sign(Order(device=device, order=order_of(rev, epoch)), key, 1000.0, valid_s)


def test_an_order_is_there_after_a_restart_even_when_its_envelope_has_long_expired(tmp_path):
    shelf_of(tmp_path).keep(envelope_of(3, valid_s=1))
    assert shelf_of(tmp_path).revs() == {"s-0001": 3}


def test_lessons_of_the_next_two_weeks_are_held_through_a_restart_with_the_hub_away(tmp_path):
    now, day = 1e9, 86_400.0
    for number in range(1, 15):
        order = order_of(1, now + number * day).model_copy(update={"session": f"s-day-{number:02d}"})
        shelf_of(tmp_path).keep(sign(Order(device="d-1", order=order), HUB_KEY, now, 60))
    held = shelf_of(tmp_path)
    assert [order.epoch for order in held.standing()] == [now + number * day for number in range(1, 15)]
    assert held.forget_past(now + 13.5 * day) == []
    assert held.lesson_within(60, now + 14 * day)


def test_only_a_newer_revision_replaces_what_is_held(tmp_path):
    shelf = shelf_of(tmp_path)
    assert shelf.keep(envelope_of(2)) is not None
    assert shelf.keep(envelope_of(2)) is None
    assert shelf.keep(envelope_of(1)) is None
    assert shelf.keep(envelope_of(5)).order.rev == 5
    assert shelf_of(tmp_path).revs() == {"s-0001": 5}


def test_an_order_of_somebody_else_is_refused(tmp_path):
    shelf = shelf_of(tmp_path)
    with pytest.raises(BadSignature):
        shelf.keep(envelope_of(key=new_hub_key()))
    with pytest.raises(Malformed):
        shelf.keep(envelope_of(device="d-2"))
    with pytest.raises(Malformed):
        shelf.keep(
            sign(Peer(device="d-1", session="s-0001", room="lead", state="live", incarnation="i"), HUB_KEY, 0, 60)
        )
    assert shelf.orders() == []


def test_files_that_cannot_be_read_are_told_once_and_take_nothing_away(tmp_path, caplog):
    shelf_of(tmp_path).keep(envelope_of(2))
    good = (tmp_path / "s-0001.json").read_bytes()
    (tmp_path / "s-torn.json").write_bytes(good[:100])
    (tmp_path / "s-noise.json").write_bytes(b"\x00\xff" * 50)
    (tmp_path / "s-forged.json").write_bytes(envelope_of(9, key=new_hub_key()).to_json())
    (tmp_path / "s-folder.json").mkdir()
    assert shelf_of(tmp_path).revs() == {"s-0001": 2}
    assert len(caplog.records) == 4
    assert (tmp_path / "s-0001.json").read_bytes() == good


def test_an_older_copy_beside_the_newer_one_does_no_harm(tmp_path):
    shelf_of(tmp_path).keep(envelope_of(7))
    (tmp_path / "a-copy.json").write_bytes(envelope_of(1).to_json())
    (tmp_path / "z-copy.json").write_bytes(envelope_of(2).to_json())
    assert shelf_of(tmp_path).revs() == {"s-0001": 7}


def test_a_disk_that_takes_nothing_keeps_the_order_that_was_held(tmp_path, monkeypatch):
    shelf = shelf_of(tmp_path)
    shelf.keep(envelope_of(1))

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("agent.report.orders.replace_file", full)
    with pytest.raises(OSError, match="No space"):
        shelf.keep(envelope_of(2))
    assert shelf.revs() == {"s-0001": 1}
    assert shelf_of(tmp_path).revs() == {"s-0001": 1}


def test_sessions_long_past_are_forgotten_and_others_are_not(tmp_path):
    shelf = shelf_of(tmp_path)
    shelf.keep(envelope_of(1, epoch=1e9))
    assert shelf.forget_past(1e9 + KEPT_S) == []
    assert shelf.forget_past(1e9 + 20 + KEPT_S + 1) == ["s-0001"]
    assert shelf_of(tmp_path).revs() == {}
