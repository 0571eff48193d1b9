import io
import struct

import numpy as np
import pytest

from agent.observe.wire import (
    HEADER,
    Kind,
    Message,
    WireBroken,
    packed_picture,
    read_message,
    unpacked_picture,
    write_message,
)


def written(*messages: Message) -> io.BytesIO:
    stream = io.BytesIO()
    for message in messages:
        write_message(stream, message)
    stream.seek(0)
    return stream


def test_messages_arrive_as_they_were_sent_and_then_nothing():
    sent = [Message(Kind.SOUND, 123_456_789_012_345, b"abc"), Message(Kind.PING, -1), Message(Kind.STOP, 0)]
    stream = written(*sent)
    assert [read_message(stream) for _ in sent] == sent
    assert read_message(stream) is None


@pytest.mark.parametrize("cut", [1, HEADER.size - 1, HEADER.size, HEADER.size + 2])
def test_a_stream_that_ends_within_a_message_is_told(cut: int):
    content = written(Message(Kind.SOUND, 1, b"abc")).getvalue()
    with pytest.raises(WireBroken, match="ends within"):
        read_message(io.BytesIO(content[:cut]))


@pytest.mark.parametrize("head", [struct.pack("<BIq", 99, 0, 0), struct.pack("<BIq", 1, 0xFFFFFFFF, 0)])
def test_what_is_not_a_message_is_refused_without_reading_on(head: bytes):
    with pytest.raises(WireBroken, match="not a message"):
        read_message(io.BytesIO(head))


@pytest.mark.parametrize("shape", [(9, 16), (9, 16, 3)])
def test_pictures_keep_their_shape(shape: tuple[int, ...]):
    picture = np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)
    assert np.array_equal(unpacked_picture(packed_picture(picture), 1 if len(shape) == 2 else 3), picture)


def test_a_picture_of_another_size_than_it_says_is_refused():
    with pytest.raises(WireBroken, match="16x9x3"):
        unpacked_picture(packed_picture(np.zeros((9, 16), np.uint8)), 3)
    with pytest.raises(WireBroken, match="without a size"):
        unpacked_picture(b"\x01", 1)


def test_a_closed_pipe_is_told_in_words():
    stream = io.BytesIO()
    stream.close()
    with pytest.raises(WireBroken, match="does not listen any more"):
        write_message(stream, Message(Kind.PING, 0))
