import errno
import threading
import time

import numpy as np
import pytest

from agent.record import durable
from agent.record.part_file import PartFile, Stamps
from agent.record.repair import whole_end
from agent.record.writer import Needs, TrackWriter, WriterState, moved
from tests.agent.record.packets import START_NS, Camera, Microphone, draft, read, together

PLENTY = 1 << 40


def needs(asked=None, told=None, **more):
    return Needs(
        lambda: PLENTY, (asked if asked is not None else []).append, (told if told is not None else []).append, **more
    )


def writer(book, wants=None, *, fps=25, sound=True, track="camera", begin_ns=START_NS, end_ns=None):
    one = TrackWriter(track, book, wants or needs(), fps=fps, sound=sound, begin_ns=begin_ns, end_ns=end_ns)
    one.start()
    return one


def take(one, packets):
    for packet in packets:
        one.take_video(packet) if hasattr(packet, "keyframe") else one.take_sound(packet)


def test_every_picture_and_sound_can_be_played_and_they_are_in_step(tmp_path):
    book = draft(tmp_path)
    one = writer(book)
    take(one, together(Camera(white_from_s=1.0).packets(2), Microphone(tone_from_s=1.0).packets(2)))
    assert one.stop(10)
    part = book.manifest.parts[0]
    assert (part.video_frames, part.audio_seconds, part.closed) == (50, 2.0, "end")
    assert part.seconds == pytest.approx(2.0, abs=0.001)
    video, sound, pictures, samples = read(book.folder / "camera.mp4")
    assert np.allclose(video, np.arange(50) / 25, atol=1e-4)
    white = video[next(index for index, level in enumerate(pictures) if level > 120)]
    row = np.concatenate([np.abs(block) for block in samples])
    times = np.concatenate([at + np.arange(len(block)) / 48000 for at, block in zip(sound, samples, strict=True)])
    loud = times[np.argmax(row > row.max() / 2)]
    assert white == pytest.approx(1.0, abs=0.001)
    assert loud == pytest.approx(1.0, abs=0.005)


@pytest.mark.parametrize(
    "fps, sound, sound_stops",
    [(25, True, False), (25, False, False), (5, False, False), (5, True, True), (25, True, True)],
)
def test_at_most_half_a_second_is_ever_off_the_disk(tmp_path, fps, sound, sound_stops):
    camera = Camera(fps=fps)
    row = list(camera.packets(4))
    part = PartFile(tmp_path / "camera.mp4", row[0], fps=fps, sound=sound)
    packets = together(row, Microphone().packets(2 if sound_stops else 4)) if sound else row
    unsynced = []
    for packet in packets:
        unsynced.append(packet.mono_ns)
        before = part.synced_bytes
        part.video(packet) if hasattr(packet, "keyframe") else part.sound(packet)
        if part.synced_bytes != before:
            assert whole_end(part.path) == part.synced_bytes, "what is on the disk ends at a fragment's end"
            held = len(read_stamps(part.path))
            unsynced = sorted(one.mono_ns for one in packets[: packets.index(packet) + 1])[held:]
        if unsynced:
            assert packet.mono_ns - unsynced[0] <= 500_000_000
    part.close()


def read_stamps(path):
    import av

    with av.open(str(path)) as container:
        return [packet.pts for packet in container.demux() if packet.size]


def test_the_first_picture_is_a_keyframe_and_one_is_asked_for(tmp_path):
    book, asked, told = draft(tmp_path), [], []
    camera = Camera()
    row = list(camera.packets(1))
    camera.force = True
    row += [camera.packet(1 + index / 25) for index in range(25)]
    one = writer(book, needs(asked, told), sound=False)
    take(one, row[5:])
    assert one.stop(10)
    assert asked == ["camera"]
    assert told == []
    (part,) = book.manifest.parts
    assert (part.video_frames, part.start_t, part.dropped_frames) == (25, 1.0, 0)


def test_sound_that_came_before_its_picture_is_kept_from_time_zero_on(tmp_path):
    book = draft(tmp_path)
    one = writer(book)
    take(one, [*Microphone().packets(1), *Camera().packets(1)])
    assert one.stop(10)
    assert book.manifest.parts[0].audio_seconds == 1.0


def test_only_what_was_captured_within_the_lesson_is_kept(tmp_path):
    book = draft(tmp_path, seconds=1.0)
    camera = Camera()
    row = []
    for index in range(75):
        camera.force = index == 25
        row.append(camera.packet(index / 25))
    begin, end = START_NS + 1_000_000_000, START_NS + 2_000_000_000
    one = writer(book, begin_ns=begin, end_ns=end)
    take(one, together(row, Microphone().packets(3)))
    assert one.past_end.is_set()
    assert one.stop(10)
    (part,) = book.manifest.parts
    assert (part.start_mono_ns, part.video_frames, part.audio_seconds) == (begin, 25, 1.0)


def test_an_end_that_moves_earlier_is_obeyed(tmp_path):
    book = draft(tmp_path)
    one = writer(book, end_ns=START_NS + 4_000_000_000, sound=False)
    one.end_at(START_NS + 1_000_000_000)
    one.end_at(START_NS + 3_000_000_000)  # later again is not obeyed
    take(one, Camera().packets(2))
    assert one.stop(10)
    assert book.manifest.parts[0].video_frames == 25


def test_equal_and_backward_stamps_are_repaired_by_as_little_as_it_takes(tmp_path):
    stamps = Stamps(START_NS)
    wanted = [0, 40_000_000, 40_000_000, 20_000_000, 120_000_000]
    assert [stamps.video(START_NS + one) for one in wanted] == [0, 3600, 3601, 3602, 10800]
    book = draft(tmp_path)
    camera = Camera()
    one = writer(book, sound=False)
    take(one, [camera.packet(index / 25, START_NS + at) for index, at in enumerate(wanted)])
    assert one.stop(10)
    video = read(book.folder / "camera.mp4")[0]
    assert len(video) == 5
    assert video == sorted(set(video))


def test_sound_stamps_follow_the_row_where_capture_jitters_and_the_clock_where_it_jumps():
    stamps = Stamps(0)
    at = [0, 23_000_000, 37_000_000, 60_000_000, 500_000_000, 520_000_000]
    assert [stamps.sound(one) for one in at] == [0, 648, 1608, 2568, 23688, 24648]


def test_a_full_queue_counts_what_it_drops_tells_once_and_goes_on_at_a_keyframe(tmp_path):
    asked, told = [], []
    inner = draft(tmp_path)
    gate = threading.Event()

    class SlowDisk:
        def begin_part(self, *args, **more):
            gate.wait(10)
            return inner.begin_part(*args, **more)

        def end_part(self, *args, **more):
            inner.end_part(*args, **more)

    camera = Camera()
    one = writer(SlowDisk(), needs(asked, told, queue_packets=20), sound=False)
    row = list(camera.packets(2))
    one.take_video(row[0])
    while one._queue:
        time.sleep(0.01)
    take(one, row[1:])
    assert one.dropped == 29
    gate.set()
    deadline = time.monotonic() + 5
    while not asked and time.monotonic() < deadline:
        time.sleep(0.01)
    one.take_video(camera.packet(2.0))  # not a keyframe: cannot be played, is dropped too
    camera.force = True
    take(one, [camera.packet(2.04), camera.packet(2.08)])
    assert one.stop(10)
    (part,) = inner.manifest.parts
    assert (part.video_frames, part.dropped_frames) == (23, 30)
    assert len(told) == 1
    assert "too slow" in told[0]
    assert len(read(inner.folder / part.file)[0]) == 23


def test_another_picture_size_begins_another_part(tmp_path):
    book = draft(tmp_path)
    one = writer(book, sound=False)
    take(one, Camera().packets(1))
    small = Camera(width=160, height=96)
    take(one, [small.packet(1 + index / 25) for index in range(25)])
    assert one.stop(10)
    parts = book.manifest.parts
    assert [(part.file, part.width, part.height, part.video_frames) for part in parts] == [
        ("camera.mp4", 320, 180, 25),
        ("camera.1.mp4", 160, 96, 25),
    ]
    assert parts[1].start_t == 1.0
    assert all(len(read(book.folder / part.file)[0]) == 25 for part in parts)


@pytest.mark.parametrize("failing", ["write", "sync"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
def test_a_volume_that_takes_nothing_closes_the_part_whole_and_the_next_begins_when_it_does(
    tmp_path, monkeypatch, failing, number
):
    book, asked, told = draft(tmp_path), [], []
    broken = threading.Event()
    write, sync = durable.os.write, durable.sync_data

    def failing_write(descriptor, data):
        if broken.is_set() and failing == "write":
            raise OSError(number, "no")
        return write(descriptor, data)

    def failing_sync(descriptor):
        if broken.is_set():
            raise OSError(number, "no")
        sync(descriptor)

    monkeypatch.setattr(durable, "sync_data", failing_sync)
    monkeypatch.setattr(durable.os, "write", failing_write)
    camera = Camera()
    one = writer(book, needs(asked, told, space_check_s=0.3), sound=False)
    take(one, camera.packets(1))
    while one._queue:
        time.sleep(0.01)
    broken.set()
    take(one, [camera.packet(1 + index / 25) for index in range(25)])
    wait_until(lambda: one.state is WriterState.HALTED)
    assert len(told) == 1
    broken.clear()
    wait_until(lambda: asked)
    camera.force = True
    take(one, [camera.packet(2 + index / 25) for index in range(25)])
    assert one.stop(10)
    first, second = book.manifest.parts
    assert (first.closed, second.closed, second.file, second.video_frames) == ("disk-full", "end", "camera.1.mp4", 25)
    assert 10 <= first.video_frames <= 25
    assert len(read(book.folder / first.file)[0]) == first.video_frames
    assert len(read(book.folder / second.file)[0]) == 25
    assert len(told) == 1


def test_recording_stops_before_the_volume_is_full_to_the_last_byte(tmp_path):
    book, told = draft(tmp_path), []
    free = [PLENTY]
    wants = Needs(lambda: free[0], lambda track: None, told.append, reserve_bytes=1 << 20)
    camera = Camera()
    one = writer(book, wants, sound=False)
    take(one, camera.packets(1))
    free[0] = 1000
    take(one, [camera.packet(1 + index / 25) for index in range(25)])
    wait_until(lambda: one.state is WriterState.HALTED)
    assert one.stop(10)
    assert book.manifest.parts[0].closed == "disk-full"
    assert len(told) == 1
    assert len(read(book.folder / "camera.mp4")[0]) == book.manifest.parts[0].video_frames


def test_a_keyframe_without_its_parameter_sets_begins_no_part(tmp_path):
    from agent.encode.packet import VideoPacket

    book, asked = draft(tmp_path), []
    one = writer(book, needs(asked), sound=False)
    for data in (b"", b"nonsense", b"\0\0\0\1", b"\0\0\1\x65abc"):
        one.take_video(VideoPacket(data, (), START_NS, True, 320, 180))
    take(one, Camera().packets(1))
    assert one.stop(10)
    assert asked
    (part,) = book.manifest.parts
    assert part.video_frames == len(read(book.folder / part.file)[0]) == 25


def test_a_writer_that_ended_takes_nothing_more():
    with pytest.raises(ValueError, match="cannot become"):
        moved(WriterState.CLOSED, WriterState.WRITING)


def wait_until(true, seconds=8):
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.01)
