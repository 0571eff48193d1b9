import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.encode import h264

units = st.lists(
    st.builds(
        lambda kind, body: bytes([kind | 0x60]) + bytes(1 + byte % 255 for byte in body),
        st.sampled_from([h264.NAL_IDR, h264.NAL_SPS, h264.NAL_PPS, h264.NAL_SEI, 1]),
        st.binary(min_size=1, max_size=4000),
    ),
    min_size=1,
    max_size=8,
)


def access_unit(nals: list[bytes]) -> bytes:
    return b"".join(b"\x00\x00\x00\x01" + nal for nal in nals)


@given(units)
def test_what_is_packetised_comes_back_whole(nals):
    assert h264.nal_units(access_unit(nals)) == nals
    payloads = h264.payloads(nals)
    assert all(len(payload) <= h264.PAYLOAD_MAX_BYTES for payload in payloads)
    assert h264.nal_units(h264.annexb(list(payloads))) == nals


@given(st.binary(max_size=200))
def test_garbage_payloads_are_refused_in_words_or_read_but_never_more(payload):
    try:
        heads, whole = h264.heads(payload), h264.annexb([payload])
    except ValueError as error:
        assert str(error)
        return
    assert all(1 <= len(head) <= 2 for head in heads)
    # A start code of four bytes takes the place of a length of two at the most.
    assert len(whole) <= len(payload) + 4 * max(1, len(heads))


def test_the_beginnings_of_units_are_seen_wherever_they_stand():
    sets_and_more = [bytes([0x67, 1, 2]), bytes([0x68, 3]), bytes([0x65, 0x88]) + b"\x09" * 3000, bytes([0x65, 0x1F])]
    together, start, *_, end, last = h264.payloads(sets_and_more)
    assert h264.heads(together) == [b"\x67\x01", b"\x68\x03"]
    assert h264.heads(start) == [b"\x65\x88"]
    assert h264.heads(end) == []
    assert h264.heads(last) == [b"\x65\x1f"]
    assert h264.is_first_slice(b"\x65\x88")
    assert not h264.is_first_slice(b"\x65\x1f")
    assert [h264.is_slice(bytes([kind])) for kind in (0, 1, 5, 6, 7)] == [False, True, True, False, False]


@pytest.mark.parametrize("payload", [b"", b"\x65", b"\x7c\x85", b"\x78\x00", b"\x78\x00\x09\x67", b"\x78\x00\x00"])
def test_truncated_payloads_have_no_beginnings(payload):
    with pytest.raises(ValueError, match=r"truncated|short"):
        h264.heads(payload)


def test_a_truncated_stap_is_refused_in_words():
    with pytest.raises(ValueError, match="truncated"):
        h264.annexb([bytes([24, 0, 9, 1])])
