import fractions
import itertools

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.encode.sound import opus_encoder
from agent.stream.decoder import SoundDecoder
from agent.stream.redundancy import KEEP_S, PREVIOUS_MAX_BYTES, SoundGuard, parted, with_previous


def tone(pieces: int) -> list[bytes]:
    encoder = opus_encoder()
    out: list[bytes] = []
    for index in range(pieces):
        at = np.arange(index * 960, (index + 1) * 960)
        samples = (9000 * np.sin(at * 2 * np.pi * 440 / 48_000)).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = 48_000
        frame.pts = index * 960
        frame.time_base = fractions.Fraction(1, 48_000)
        out += [bytes(packet) for packet in encoder.encode(frame)]
    return out


@given(st.binary(min_size=1, max_size=600), st.binary(min_size=1, max_size=PREVIOUS_MAX_BYTES))
def test_a_packet_and_the_one_before_it_come_apart_as_they_were(body, previous):
    data = bytes([0x78]) + body
    assert parted(with_previous(data, previous)) == (data, previous)


@given(st.binary(max_size=60))
def test_any_payload_comes_apart_without_harm(payload):
    whole, previous = parted(payload)
    assert len(whole) + len(previous or b"") <= len(payload)


@pytest.mark.parametrize("decoder", ["libopus", "opus"])
def test_a_decoder_that_does_not_know_of_it_hears_the_same(decoder):
    packets = tone(50)
    plain, padded = av.CodecContext.create(decoder, "r"), av.CodecContext.create(decoder, "r")
    for codec in (plain, padded):
        codec.sample_rate = 48_000
        codec.layout = "mono"
    for before, packet in itertools.pairwise(packets):
        (one,) = plain.decode(av.Packet(packet))
        (other,) = padded.decode(av.Packet(with_previous(packet, before)))
        assert np.array_equal(one.to_ndarray(), other.to_ndarray())


def test_packets_carry_the_one_before_only_while_the_peer_loses_some():
    guard = SoundGuard()
    first, second, third = b"\x78one", b"\x78two", b"\x78three"
    assert guard.payload(first, 0.0, 0.0) == first
    assert parted(guard.payload(second, 0.04, 1.0)) == (second, first)
    assert parted(guard.payload(third, 0.0, KEEP_S)) == (third, second)
    assert guard.payload(first, 0.0, KEEP_S + 1.0) == first


def test_what_is_missing_is_made_up_and_fades():
    decoder = SoundDecoder()
    assert len(decoder.conceal()) == 0
    for packet in tone(20):
        heard = decoder.decode(packet)
    made_up = [decoder.conceal() for _ in range(20)]
    assert {len(one) for one in made_up} == {960}
    loud = float(np.abs(heard.astype(np.int32)).mean())
    assert float(np.abs(made_up[0].astype(np.int32)).mean()) > 0.3 * loud
    assert float(np.abs(made_up[-1].astype(np.int32)).mean()) < 0.1 * loud
    assert len(decoder.decode(packet)) == 960


@pytest.mark.parametrize("payload", [b"", b"\xff", b"\x7b\xff\xff", b"\x03\x41\x05"])
def test_damaged_sound_is_made_up(payload):
    decoder = SoundDecoder()
    for packet in tone(3):
        decoder.decode(packet)
    assert len(decoder.decode(payload)) == 960
