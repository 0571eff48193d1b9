"""Packets that leave, read back by aiortc's own parser."""

import random

import pytest
from aiortc import rtp as reader
from hypothesis import given
from hypothesis import strategies as st

from agent.stream import agreed, twcc
from agent.stream.mediaclock import MediaClock
from agent.stream.outgoing import HISTORY, KEYFRAME_WAITS_NS, OutgoingStream

CLOCK = MediaClock(1_700_000_000 * 1_000_000_000)
NOW_NS = 40_000_000_000
ALL = agreed.Agreed(97, 90_000, 98, b"1", 1, 2, 5, 6)


class Extensions:
    """Reads the extensions that `ALL` names."""

    headerExtensions = [  # noqa: RUF012 - as aiortc asks for it
        type("Extension", (), {"id": number, "uri": uri})
        for number, uri in ((1, agreed.MID_URI), (2, agreed.SEND_TIME_URI), (6, twcc.URI))
    ]


def read(data: bytes) -> reader.RtpPacket:
    known = reader.HeaderExtensionsMap()
    known.configure(Extensions)
    return reader.RtpPacket.parse(data, known)


def stream(agreed_on: agreed.Agreed = ALL, marks_ends: bool = True) -> OutgoingStream:
    made = OutgoingStream(CLOCK, random.Random(3), marks_ends=marks_ends)
    made.agree(agreed_on)
    return made


def left(out: OutgoingStream, count: int, transport: int = 100) -> list[reader.RtpPacket]:
    payloads = tuple(bytes([number % 256]) * 5 for number in range(count))
    parcels = enumerate(out.parcels(payloads, NOW_NS))
    return [read(one.serialize(transport + at, NOW_NS + at * 1_000_000)) for at, one in parcels]


def test_a_picture_leaves_numbered_in_order_under_one_timestamp_and_its_end_is_marked():
    first, middle, last = left(stream(), 3)
    assert [middle.sequence_number, last.sequence_number] == [first.sequence_number + 1, first.sequence_number + 2]
    assert first.timestamp == middle.timestamp == last.timestamp
    assert (first.marker, middle.marker, last.marker) == (0, 0, 1)
    assert [one.payload for one in (first, middle, last)] == [b"\0" * 5, b"\1" * 5, b"\2" * 5]
    assert {one.payload_type for one in (first, middle, last)} == {97}


def test_sound_marks_nothing():
    (packet,) = left(stream(marks_ends=False), 1)
    assert packet.marker == 0


def test_each_packet_names_its_track_its_place_on_the_transport_and_when_it_left():
    first, second = left(stream(), 2, transport=0xFFFF - 1)
    assert (first.extensions.mid, second.extensions.mid) == ("1", "1")
    assert first.extensions.transport_sequence_number == 0xFFFE
    assert second.extensions.transport_sequence_number == 0xFFFF
    # 6.18 fixed point: a millisecond is 262 units.
    assert second.extensions.abs_send_time - first.extensions.abs_send_time == pytest.approx(262, abs=1)


def test_only_the_first_packet_of_a_picture_carries_the_capture_time():
    one, other = stream().parcels((b"a", b"b"), NOW_NS)
    assert CLOCK.ntp(NOW_NS).to_bytes(8, "big") in one.serialize(0, NOW_NS)
    assert CLOCK.ntp(NOW_NS).to_bytes(8, "big") not in other.serialize(1, NOW_NS)


def test_where_nothing_is_agreed_on_packets_carry_no_extension():
    (packet,) = stream(agreed.Agreed(97, 90_000)).parcels((b"abc",), NOW_NS)
    assert len(packet.serialize(0, NOW_NS)) == 12 + 3


def test_a_packet_dropped_while_it_waits_leaves_no_gap():
    out = stream()
    one, _dropped, other = out.parcels((b"a", b"b", b"c"), NOW_NS)
    first, second = read(one.serialize(0, NOW_NS)), read(other.serialize(1, NOW_NS))
    assert second.sequence_number == first.sequence_number + 1


def test_a_packet_that_is_asked_for_comes_again_on_the_rtx_stream():
    out = stream()
    first, second, _ = left(out, 3)
    again = read(out.repeat(second.sequence_number).serialize(200, NOW_NS))
    assert (again.payload_type, again.ssrc) == (98, out.rtx_ssrc)
    whole = reader.unwrap_rtx(again, 97, out.ssrc)
    assert (whole.sequence_number, whole.timestamp, whole.payload) == (
        second.sequence_number,
        second.timestamp,
        second.payload,
    )
    once_more = read(out.repeat(first.sequence_number).serialize(201, NOW_NS))
    assert once_more.sequence_number == again.sequence_number + 1
    assert out.figures.retransmitted == 2


def test_without_rtx_a_packet_comes_again_as_it_was_and_none_is_made_up_as_padding():
    out = stream(agreed.Agreed(97, 90_000))
    (first,) = left(out, 1)
    again = read(out.repeat(first.sequence_number).serialize(1, NOW_NS))
    assert (again.sequence_number, again.ssrc, again.payload) == (first.sequence_number, first.ssrc, first.payload)
    assert out.repeat_last() is None


def test_padding_repeats_the_packet_sent_last():
    out = stream()
    assert out.repeat_last() is None
    packets = left(out, 2)
    again = read(out.repeat_last().serialize(9, NOW_NS))
    assert reader.unwrap_rtx(again, 97, out.ssrc).payload == packets[-1].payload


def keyframe_left(out, now_ns):
    parcels = out.parcels((b"one", b"two"), now_ns, now_ns)
    return [read(parcel.serialize(at, now_ns)) for at, parcel in enumerate(parcels)]


def test_what_left_before_a_keyframe_is_superseded_and_the_keyframe_is_not():
    out = stream()
    before = left(out, 3)
    assert not any(out.superseded(packet.sequence_number) for packet in before)
    key = keyframe_left(out, NOW_NS + 40_000_000)
    assert all(out.superseded(packet.sequence_number) for packet in before)
    assert not any(out.superseded(packet.sequence_number) for packet in key)


def test_a_keyframe_comes_from_its_queueing_until_the_other_end_must_have_it():
    out = stream()
    assert not out.keyframe_comes(NOW_NS)
    parcels = out.parcels((b"one", b"two"), NOW_NS, NOW_NS)
    assert out.keyframe_comes(NOW_NS + 1_900_000_000)
    assert not out.keyframe_comes(NOW_NS + KEYFRAME_WAITS_NS)  # it was dropped
    for parcel in parcels:
        parcel.serialize(0, NOW_NS)
    out.figures.round_trip_ms = 40.0
    assert out.keyframe_comes(NOW_NS + 39_000_000)
    assert not out.keyframe_comes(NOW_NS + 41_000_000)


def test_what_is_asked_for_too_late_or_was_never_sent_is_not_repeated():
    out = stream()
    packets = left(out, HISTORY + 1)
    assert out.repeat(packets[0].sequence_number) is None
    assert out.repeat(packets[1].sequence_number) is not None
    assert out.repeat((packets[-1].sequence_number + 1) & 0xFFFF) is None


def test_sequence_numbers_begin_anew_after_the_last_one():
    out = stream()
    out._sequence = 0xFFFF
    last, first = left(out, 2)
    assert (last.sequence_number, first.sequence_number) == (0xFFFF, 0)
    assert out.repeat(0xFFFF) is not None
    assert out.repeat_last().first.sequence == 0


@pytest.mark.parametrize("clock_hz", [90_000, 48_000])
def test_a_report_maps_media_time_to_wall_time_as_packets_do(clock_hz):
    out = stream(agreed.Agreed(97, clock_hz))
    (packet,) = left(out, 1)
    report = out.report(NOW_NS + 250_000_000)
    assert report.ntp_timestamp == CLOCK.ntp(NOW_NS + 250_000_000)
    assert (report.rtp_timestamp - packet.timestamp) & 0xFFFF_FFFF == clock_hz // 4
    assert (report.packet_count, report.octet_count) == (1, 5)


def test_the_round_trip_comes_from_the_time_that_a_report_was_held():
    out = stream()
    lsr = CLOCK.ntp(NOW_NS) >> 16 & 0xFFFF_FFFF
    held = 65536 // 2
    trip_ms = out.take_report(64, lsr, held, NOW_NS + 540_000_000)
    assert trip_ms == pytest.approx(40, abs=0.1)
    assert out.figures.round_trip_ms == trip_ms
    assert out.figures.fraction_lost == 0.25


@given(st.integers(0, 255), st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
def test_no_report_makes_a_negative_round_trip(lost, lsr, dlsr):
    out = stream()
    trip_ms = out.take_report(lost, lsr, dlsr, NOW_NS)
    assert trip_ms is None or trip_ms >= 0
    assert 0 <= out.figures.fraction_lost < 1
