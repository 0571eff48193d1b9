import io
import struct

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.record.part_file import PartFile
from agent.record.repair import boxes, cut_torn_tail, measure, mend_lines, whole_end
from tests.agent.record.packets import Camera, Microphone, read, together


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A real part of three seconds, and where each of its fragments ends."""
    path = tmp_path_factory.mktemp("whole") / "camera.mp4"
    row = list(Camera().packets(3))
    part = PartFile(path, row[0], fps=25, sound=True)
    ends = []
    for packet in together(row, Microphone().packets(3)):
        part.video(packet) if hasattr(packet, "keyframe") else part.sound(packet)
        if part.synced_bytes not in ends:
            ends.append(part.synced_bytes)
    part.close()
    return path.read_bytes(), ends[1:]


def test_a_whole_file_loses_nothing(whole, tmp_path):
    path = tmp_path / "camera.mp4"
    path.write_bytes(whole[0])
    assert cut_torn_tail(path) == 0
    assert path.read_bytes() == whole[0]
    figures = measure(path)
    assert (figures.video_frames, figures.audio_seconds) == (75, 3.0)
    assert figures.seconds == pytest.approx(3.0, abs=0.001)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_wherever_a_file_is_torn_it_keeps_every_complete_fragment(whole, tmp_path, data):
    content, ends = whole
    at = data.draw(st.integers(0, len(content)))
    path = tmp_path / "camera.mp4"
    path.write_bytes(content[:at])
    cut_torn_tail(path)
    size = path.stat().st_size
    complete = [one for one in ends if one <= at]
    assert size >= max(complete, default=0)
    if complete:
        frames = measure(path).video_frames
        assert frames > 0
        assert len(read(path)[0]) == frames


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tail=st.binary(max_size=600))
def test_garbage_behind_the_last_fragment_never_costs_a_fragment(whole, tmp_path, tail):
    content, ends = whole
    path = tmp_path / "camera.mp4"
    path.write_bytes(content[: ends[2]] + tail)
    cut_torn_tail(path)
    assert path.read_bytes()[: ends[2]] == content[: ends[2]]
    assert measure(path).video_frames >= 25


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.binary(max_size=400)
    | st.lists(
        st.tuples(
            st.sampled_from([b"ftyp", b"moov", b"moof", b"mdat", b"free", b"????"]),
            st.integers(0, 2**32 - 1),
            st.binary(max_size=20),
        ),
        max_size=6,
    ).map(lambda row: b"".join(struct.pack(">I4s", length, kind) + body for kind, length, body in row))
)
def test_a_file_of_anything_is_walked_to_an_end_within_it(tmp_path, content):
    path = tmp_path / "camera.mp4"
    path.write_bytes(content)
    found = list(boxes(io.BytesIO(content), len(content)))
    assert all(0 <= box.start < box.end <= len(content) for box in found)
    assert 0 <= whole_end(path) <= len(content)
    cut_torn_tail(path)
    assert measure(path).video_frames == 0


def test_a_box_with_a_64_bit_length_is_understood():
    content = struct.pack(">I4sQ", 1, b"mdat", 20) + b"abcd" + struct.pack(">I4s", 8, b"free")
    assert [(box.kind, box.end) for box in boxes(io.BytesIO(content), len(content))] == [(b"mdat", 20), (b"free", 28)]
    short = struct.pack(">I4sQ", 1, b"mdat", 3)
    assert list(boxes(io.BytesIO(short), len(short))) == []


@pytest.mark.parametrize(
    "before, after",
    [(b"", b""), (b"abc", b""), (b"abc\n", b"abc\n"), (b"abc\nde", b"abc\n"), (b"a\n" + b"x" * 9000, b"a\n")],
)
def test_a_file_of_lines_ends_with_a_whole_line(tmp_path, before, after):
    path = tmp_path / "quality.jsonl"
    path.write_bytes(before)
    assert mend_lines(path) == len(before) - len(after)
    assert path.read_bytes() == after
