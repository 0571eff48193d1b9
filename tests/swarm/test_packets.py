"""MQTT packets, cut and joined as a network does."""

import pytest

from swarm import packets
from swarm.packets import PacketReader, PacketsBroken


def all_of(data: bytes, step: int) -> list[packets.Packet]:
    reader = PacketReader()
    return [one for at in range(0, len(data), step) for one in reader.feed(data[at : at + step])]


@pytest.mark.parametrize("size", [0, 1, 100, 127, 128, 300, 16_383, 16_384, 100_000])
@pytest.mark.parametrize("step", [1, 7, 1 << 20])
def test_a_message_of_any_length_survives_any_cutting(size, step):
    payload = bytes(number % 251 for number in range(size))
    data = packets.publish(packets.text("tt/v1/d-1/tele"), payload, 513) + packets.puback(7)
    if step == 1 and size > 20_000:
        step = 999
    message, answer = all_of(data, step)
    assert packets.published(message) == (b"tt/v1/d-1/tele", payload, 513)
    assert (answer.kind, answer.body) == (packets.PUBACK, b"\x00\x07")


def test_a_message_that_wants_no_answer_has_no_number():
    (message,) = all_of(b"\x30\x05\x00\x02ab!", 3)
    assert packets.published(message) == (b"ab", b"!", 0)


@pytest.mark.parametrize("data", [b"\x30\xff\xff\xff\xff\x01", b"\x30\xff\xff\xff\x7f"])
def test_what_is_no_mqtt_is_refused_and_not_waited_for(data):
    with pytest.raises(PacketsBroken):
        all_of(data, len(data))
