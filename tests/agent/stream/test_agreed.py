import pytest
from aiortc import RTCRtpCodecParameters, RTCRtpHeaderExtensionParameters, RTCRtpParameters

from agent.stream import agreed, rtp, twcc

H264 = RTCRtpCodecParameters("video/H264", 90_000, payloadType=97)
RTX = RTCRtpCodecParameters("video/rtx", 90_000, payloadType=98, parameters={"apt": 97})
OTHER_RTX = RTCRtpCodecParameters("video/rtx", 90_000, payloadType=100, parameters={"apt": 99})


def parameters(ids: dict[str, int], mid: str = "0") -> RTCRtpParameters:
    extensions = [RTCRtpHeaderExtensionParameters(id=number, uri=uri) for uri, number in ids.items()]
    return RTCRtpParameters(codecs=[H264, OTHER_RTX, RTX], headerExtensions=extensions, muxId=mid)


def test_the_first_codec_is_sent_and_the_repetitions_that_belong_to_it():
    sending = agreed.outgoing(parameters({agreed.CAPTURE_TIME_URI: 5, agreed.MID_URI: 1, twcc.URI: 3}))
    assert (sending.payload_type, sending.clock_hz, sending.rtx_payload_type) == (97, 90_000, 98)
    assert (sending.mid, sending.mid_id, sending.capture_time_id, sending.transport_sequence_id) == (b"0", 1, 5, 3)
    assert sending.send_time_id is None


def test_an_id_or_a_name_that_does_not_fit_into_one_byte_is_left_out():
    sending = agreed.outgoing(parameters({agreed.CAPTURE_TIME_URI: 15, agreed.MID_URI: 1, twcc.URI: 200}, mid="m" * 17))
    assert (sending.capture_time_id, sending.transport_sequence_id, sending.mid) == (None, None, b"")


def test_what_comes_is_known_by_its_payload_type():
    kinds = agreed.incoming([H264, RTX, RTCRtpCodecParameters("video/rtx", 90_000, payloadType=101)])
    assert kinds[97] == agreed.PayloadKind(90_000)
    assert kinds[98] == agreed.PayloadKind(90_000, repeats=97)
    assert kinds[101].repeats not in kinds


def test_of_all_codecs_one_is_left_with_its_repetitions():
    vp8 = RTCRtpCodecParameters("video/VP8", 90_000, payloadType=99)
    assert agreed.only("h264", [vp8, OTHER_RTX, H264, RTX]) == [H264, RTX]


@pytest.mark.parametrize(("number", "value"), [(0, b"a"), (15, b"a"), (1, b""), (1, b"a" * 17)])
def test_an_element_that_one_byte_cannot_describe_is_refused_in_words(number, value):
    with pytest.raises(ValueError, match="no header extension"):
        rtp.extension(number, value)
