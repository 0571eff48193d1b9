import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.stream.jitter import Packet
from agent.stream.redundancy import with_previous
from agent.stream.soundjitter import GAP_MAX, WAIT_MAX_MS, WAIT_MIN_MS, SoundJitter
from tests.agent.stream.lossy_link import LossyLink, listen


def piece(number: int) -> bytes:
    return bytes([0x78]) + number.to_bytes(4, "big")


def packet(number: int, carries: bool = False) -> Packet:
    payload = with_previous(piece(number), piece(number - 1)) if carries else piece(number)
    return Packet(number & 0xFFFF, number * 960, False, payload)


def test_sound_is_heard_when_it_comes():
    jitter = SoundJitter()
    for number in range(5):
        assert jitter.add(packet(number), number * 20.0) == [packet(number)]
    assert not jitter.troubled


def test_a_packet_that_stands_in_the_one_behind_it_is_not_waited_for():
    jitter = SoundJitter()
    jitter.add(packet(1), 0)
    heard = jitter.add(packet(3, carries=True), 40)
    assert [one.payload for one in heard] == [piece(2), piece(3)]
    assert [one.timestamp for one in heard] == [2 * 960, 3 * 960]
    assert (jitter.lost, jitter.recovered) == (0, 1)
    assert jitter.nacks(40) == []


def test_a_missing_packet_is_asked_for_and_heard_in_its_place():
    jitter = SoundJitter(lambda: 30.0)
    jitter.add(packet(1), 0)
    assert jitter.add(packet(3), 40) == []
    assert jitter.nacks(40) == [2]
    assert jitter.add(packet(2), 70) == [packet(2), packet(3)]
    assert (jitter.lost, jitter.recovered) == (0, 1)


def test_a_missing_packet_is_never_waited_for_beyond_60_ms():
    jitter = SoundJitter(lambda: 50.0)
    jitter.add(packet(1), 0)
    assert jitter.add(packet(3), 40) == []
    assert jitter.tick(40 + WAIT_MAX_MS) == [None, packet(3)]
    assert jitter.lost == 1
    assert jitter.add(packet(2), 110) == []
    assert (jitter.lost, jitter.recovered) == (1, 0)


def test_where_a_repetition_would_come_too_late_none_is_asked_for_or_waited_for():
    jitter = SoundJitter(lambda: 200.0)
    jitter.add(packet(1), 0)
    jitter.add(packet(3), 40)
    assert jitter.nacks(40) == []
    assert jitter.tick(40 + WAIT_MIN_MS + 15) == [None, packet(3)]


def test_after_an_outage_sound_is_heard_with_the_first_packet():
    jitter = SoundJitter()
    jitter.add(packet(1), 0)
    heard = jitter.add(packet(500), 10_000)
    assert heard[-1] == packet(500)
    assert len(heard) <= GAP_MAX + 1
    assert jitter.lost == 498


def test_overtaken_packets_are_put_in_order_and_nothing_is_lost():
    jitter = SoundJitter()
    order = [0, 2, 1, 4, 3, 6, 5, 7]
    heard = [one for at, number in enumerate(order) for one in jitter.add(packet(number), at * 20.0)]
    assert heard == [packet(number) for number in range(8)]
    assert jitter.lost == 0


def test_a_sender_that_begins_to_count_anew_is_heard_again():
    jitter = SoundJitter()
    jitter.add(packet(30_000), 0)
    heard = [one for number in range(300) for one in jitter.add(packet(number), 20.0 * number)]
    assert heard[-1] == packet(299)


@pytest.mark.parametrize(("loss", "most_lost"), [(0.01, 0.001), (0.05, 0.005), (0.1, 0.01)])
def test_random_loss_both_ways_loses_hardly_any_sound(loss, most_lost):
    heard = listen(LossyLink(seed=1, loss=loss, jitter_ms=3), seconds=200)
    assert heard.lost <= most_lost * heard.sent
    assert heard.lost + heard.heard == pytest.approx(heard.sent, abs=3)


def test_five_percent_of_loss_is_borne_by_either_way_of_repair_alone():
    for nack, guarded in ((True, False), (False, True)):
        heard = listen(LossyLink(seed=1, loss=0.05, jitter_ms=3), seconds=200, nack=nack, guarded=guarded)
        assert heard.lost <= 0.01 * heard.sent


@given(st.lists(st.tuples(st.integers(0, 65_535), st.binary(max_size=20)), max_size=200))
def test_garbage_is_heard_at_most_as_often_as_it_came_and_never_piles_up(packets):
    jitter = SoundJitter()
    heard, asked, now = 0, 0, 0
    for number, (sequence, payload) in enumerate(packets, 1):
        now = number * 50
        played = jitter.add(Packet(sequence, sequence, False, payload), now) + jitter.tick(now)
        heard += sum(one is not None for one in played)
        asked += len(jitter.nacks(now))
        assert len(jitter._held) <= 2 * GAP_MAX
        assert len(played) <= 3 * (GAP_MAX + len(jitter._held) + 1)
    # A packet may bring the one before it along, and each gap of a few is asked for a few times.
    assert heard <= 2 * len(packets)
    assert asked <= 10 * GAP_MAX * len(packets)
    jitter.tick(now + WAIT_MAX_MS)
    assert not jitter.troubled


@given(st.lists(st.binary(max_size=20), max_size=20))
def test_after_garbage_sound_is_heard_again_in_the_order_in_which_it_was_sent(payloads):
    jitter = SoundJitter()
    for number, payload in enumerate(payloads):
        jitter.add(Packet(number * 997 & 0xFFFF, number, False, payload), 0)
    jitter.tick(1000)
    sent = [packet(number) for number in range(30_000, 30_000 + 300)]
    heard = [one for at, one_packet in enumerate(sent) for one in jitter.add(one_packet, 2000 + at * 20.0)]
    assert heard[-20:] == sent[-20:]
