from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.stream.agreed import PayloadKind
from agent.stream.jitter import Packet
from agent.stream.received import SSRCS_MAX, ReceivedStreams, StreamCount

MS = 1_000_000
KINDS = {97: PayloadKind(90_000), 98: PayloadKind(90_000, repeats=97), 99: PayloadKind(90_000, repeats=-1)}


@dataclass
class Came:
    payload_type: int
    ssrc: int
    sequence_number: int
    timestamp: int = 0
    marker: int = 0
    payload: bytes = b"picture"


def streams(repeated: dict[int, int] | None = None) -> ReceivedStreams:
    made = ReceivedStreams()
    made.agree(KINDS, repeated or {})
    return made


def counted(sequences: list[int], count: StreamCount | None = None) -> StreamCount:
    count = count or StreamCount(90_000)
    for at, sequence in enumerate(sequences):
        count.add(sequence & 0xFFFF, sequence * 3600, at * 40 * MS)
    return count


def test_media_is_handed_on_as_it_came():
    taken = streams().take(Came(97, 1, 7, 3600, 1, b"abc"), 5, 0)
    assert taken == Packet(7, 3600, True, b"abc", 5)


@pytest.mark.parametrize("told", [{2: 1}, {}])
def test_a_repetition_is_put_back_into_the_stream_that_it_repeats(told):
    received = streams(told)
    received.take(Came(97, 1, 7), None, 0)
    taken = received.take(Came(98, 2, 900, 3600, 1, b"\x00\x06abc"), None, 0)
    assert (taken.sequence, taken.timestamp, taken.marker, taken.payload) == (6, 3600, True, b"abc")
    assert received.media_ssrc == 1


@pytest.mark.parametrize(
    "packet",
    [
        Came(96, 1, 7),
        Came(97, 1, 7, payload=b""),
        Came(98, 2, 7, payload=b"\x00"),
        Came(98, 2, 7, payload=b"\x00\x06"),
        Came(99, 2, 7),
    ],
    ids=["not agreed on", "padding alone", "cut off", "padding repeated", "repeats nothing known"],
)
def test_what_carries_no_media_is_not_handed_on(packet):
    received = streams()
    received.take(Came(97, 1, 6), None, 0)
    assert received.take(packet, None, 0) is None


def test_a_repetition_before_any_media_belongs_to_nothing_yet():
    assert streams().take(Came(98, 2, 900, payload=b"\x00\x06abc"), None, 0) is None


def test_the_share_of_loss_is_that_since_the_last_report_and_the_count_that_of_all():
    count = counted([one for one in range(100) if one % 4])
    report = count.report(1, 0)
    assert report.fraction_lost == pytest.approx(64, abs=2)
    assert report.packets_lost == 24  # the first one missing was never expected
    counted(list(range(100, 200)), count)
    report = count.report(1, 0)
    assert (report.fraction_lost, report.packets_lost) == (0, 24)


def test_the_highest_number_counts_how_often_numbers_began_anew():
    assert counted(list(range(65_500, 65_600))).report(1, 0).highest_sequence == 65_599


def test_packets_that_come_twice_or_late_make_no_negative_share():
    report = counted([5, 6, 6, 6, 7, 6]).report(1, 0)
    assert report.fraction_lost == 0
    assert report.packets_lost == -3


def test_even_arrivals_have_no_jitter_and_uneven_ones_do():
    assert counted(list(range(50))).report(1, 0).jitter == 0
    uneven = StreamCount(90_000)
    for number in range(200):
        uneven.add(number, number * 3600, (number * 40 + (number % 2) * 10) * MS)
    assert uneven.report(1, 0).jitter == pytest.approx(900, rel=0.1)


def test_a_report_says_which_sender_report_came_last_and_how_long_ago():
    received = streams()
    received.take(Came(97, 1, 7), None, 0)
    received.take_sender_report(1, 0x1234_5678_9ABC_DEF0, 100 * MS)
    received.take_sender_report(77, 0xFFFF_FFFF_FFFF_FFFF, 100 * MS)
    (report,) = received.reports(600 * MS)
    assert (report.ssrc, report.lsr, report.dlsr) == (1, 0x5678_9ABC, 65536 // 2)


def test_before_any_sender_report_there_is_none_to_name():
    received = streams()
    received.take(Came(97, 1, 7), None, 0)
    (report,) = received.reports(600 * MS)
    assert (report.lsr, report.dlsr) == (0, 0)


def test_a_peer_that_goes_on_to_ever_new_streams_is_told_of_the_newest_only():
    received = streams()
    for ssrc in range(100):
        received.take(Came(97, ssrc, 7), None, 0)
    assert [one.ssrc for one in received.reports(0)] == list(range(100 - SSRCS_MAX, 100))


@given(st.lists(st.tuples(st.integers(0, 65_535), st.integers(0, 2**32 - 1)), min_size=1, max_size=100))
def test_every_figure_fits_its_field_whatever_comes(packets):
    count = StreamCount(90_000)
    for at, (sequence, timestamp) in enumerate(packets):
        count.add(sequence, timestamp, at * MS)
        report = count.report(1, at * MS)
        assert 0 <= report.fraction_lost <= 255
        assert -(1 << 23) <= report.packets_lost < 1 << 23
        assert 0 <= report.highest_sequence < 1 << 32
        assert 0 <= report.jitter < 1 << 32
