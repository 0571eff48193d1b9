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
def test_garbage_payloads_are_refused_or_read_but_never_more(payload):
    try:
        h264.annexb([payload])
        h264.starts_picture_of(payload)
    except ValueError as error:
        assert str(error)


def test_parameter_sets_travel_together():
    payloads = h264.payloads([bytes([0x67, 1, 2]), bytes([0x68, 3]), bytes([0x65]) + b"\x09" * 3000])
    assert h264.starts_picture_of(payloads[0]) == h264.NAL_SPS
    assert h264.starts_picture_of(payloads[1]) == h264.NAL_IDR
    assert h264.starts_picture_of(payloads[2]) is None


def test_a_truncated_stap_is_refused_in_words():
    with pytest.raises(ValueError, match="truncated"):
        h264.annexb([bytes([24, 0, 9, 1])])
