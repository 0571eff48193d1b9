import itertools
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from agent.capture.frame import SourceLost
from agent.capture.sources import open_room, parse_source
from tests.agent.capture.conftest import luma, write_media


def room(text, *, size=(320, 180), fps=25, has_slides=False, **more):
    return open_room(parse_source(text), size=size, fps=fps, seed=1, has_slides=has_slides, **more)


def taken(opened, count, stop):
    """Pictures of a room's camera; the room is closed then."""
    frames = list(itertools.islice(opened.camera.frames(stop), count))
    opened.close()
    return frames


def heard(opened, count, stop):
    """Sound of a room; the room is closed then."""
    blocks = list(itertools.islice(opened.sound.blocks(stop), count))
    opened.close()
    return blocks


def test_a_video_plays_at_its_own_pace_and_begins_anew_without_a_break(tmp_path: Path, stop):
    path = write_media(tmp_path / "课 堂.mp4", seconds=1.0)
    begun = time.monotonic()
    frames = taken(room(f"file:{path}"), 60, stop)
    assert 2.2 < time.monotonic() - begun < 15
    seen = [round((float(np.median(luma(frame.picture))) - 40) / 2) for frame in frames]
    assert seen == [n % 25 for n in range(60)]
    steps = np.diff([frame.mono_ns for frame in frames]) / 1e6
    assert np.allclose(steps, 40, atol=1.5)


def test_capture_times_are_the_times_at_which_pictures_are_handed_over(tmp_path: Path, stop):
    source = room(f"file:{write_media(tmp_path / 'a.mp4', seconds=1.0)}").camera
    late_ms = []
    for frame in itertools.islice(source.frames(stop), 25):
        late_ms.append((time.monotonic_ns() - frame.mono_ns) / 1e6)
    source.close()
    assert min(late_ms) >= 0
    assert np.median(late_ms) < 100


def test_an_uneven_frame_rate_keeps_its_rhythm(tmp_path: Path, stop):
    times = [0.0, 0.04, 0.16, 0.2, 0.36, 0.5, 0.54, 0.7, 0.86, 0.96]
    frames = taken(room(f"file:{write_media(tmp_path / 'v.mkv', times=times, seconds=1)}"), 10, stop)
    assert np.allclose((np.array([one.mono_ns for one in frames]) - frames[0].mono_ns) / 1e9, times, atol=0.003)


def test_a_picture_that_stands_is_shown_again_so_that_nobody_waits(tmp_path: Path, stop):
    path = write_media(tmp_path / "slow.mp4", times=[0.0, 1.5, 2.9])
    frames = taken(room(f"file:{path}"), 8, stop)
    assert max(np.diff([frame.mono_ns for frame in frames])) <= 210_000_000
    assert len({id(frame.picture) for frame in frames}) == 8


def test_a_faster_file_is_thinned_out_to_the_tracks_rate(tmp_path: Path, stop):
    path = write_media(tmp_path / "fast.mp4", fps=50, seconds=2)
    frames = taken(room(f"file:{path}"), 30, stop)
    assert 1.05 < (frames[-1].mono_ns - frames[0].mono_ns) / 1e9 < 3, "unthinned it would be 0.6 s"


@pytest.mark.parametrize("size,bars", [((320, 320), "above"), ((640, 180), "beside"), ((640, 360), None)])
def test_another_shape_is_letterboxed_and_never_stretched(tmp_path: Path, stop, size, bars):
    path = write_media(tmp_path / "bright.mp4", times=[0.0, 0.04, 0.08], size=(320, 180), pulse=True)
    picture = taken(room(f"file:{path}", size=size), 1, stop)[0].picture
    assert (picture.width, picture.height, picture.format.name) == (*size, "yuv420p")
    bright = luma(picture) > 100
    height, width = bright.any(axis=1).sum(), bright.any(axis=0).sum()
    assert width / height == pytest.approx(16 / 9, rel=0.03)
    assert bright[size[1] // 2, size[0] // 2]
    assert bright[0].any() == (bars != "above")
    assert bright[:, 0].any() == (bars != "beside")


def test_sound_alone_loops_without_a_gap_or_a_click(tmp_path: Path, stop):
    path = write_media(tmp_path / "a.wav", size=None, tone_hz=500, seconds=0.3)
    blocks = heard(room(f"rehearsal+file:{path}"), 60, stop)
    wave = np.concatenate([block.samples for block in blocks]).astype(float)
    expected = 9000 * np.sin(2 * np.pi * 500 * np.arange(wave.size) / 48000)
    assert np.abs(wave - expected).max() < 3
    assert set(np.diff([block.mono_ns for block in blocks])) == {20_000_000}


@pytest.mark.parametrize("name", ["a.mp3", "a.flac", "a.ogg", "a.m4a"])
def test_common_sound_files_are_heard_at_their_pace(tmp_path: Path, stop, name):
    path = write_media(tmp_path / name, size=None, tone_hz=440, seconds=1.0)
    begun = time.monotonic()
    blocks = heard(room(f"rehearsal+file:{path}"), 75, stop)
    assert 1.4 < time.monotonic() - begun < 15
    wave = np.concatenate([block.samples for block in blocks]).astype(float)
    spectrum = np.abs(np.fft.rfft(wave))
    assert np.fft.rfftfreq(wave.size, 1 / 48000)[spectrum.argmax()] == pytest.approx(440, abs=2)


def test_picture_and_sound_stay_in_step_over_the_loop(tmp_path: Path, stop):
    times = [n / 25 for n in range(30)]
    path = write_media(tmp_path / "pulse.mp4", times=times, tone_seconds=1.23, pulse=True)
    opened = room(f"file:{path}")
    bright, loud = [], []

    def look():
        for frame in opened.camera.frames(stop):
            bright.append((frame.mono_ns, float(luma(frame.picture).mean()) > 120))

    def listen():
        for block in opened.sound.blocks(stop):
            level = np.abs(block.samples.astype(float)) > 2000
            loud.append((block.mono_ns + int(level.argmax()) * 20833, bool(level.any())))

    threads = [threading.Thread(target=one) for one in (look, listen)]
    for thread in threads:
        thread.start()
    time.sleep(4.2)
    stop.set()
    for thread in threads:
        thread.join()
    opened.close()

    def begins(marks):
        return [at for (at, on), (_, before) in zip(marks[1:], marks, strict=False) if on and not before]

    pairs = list(zip(begins(bright), begins(loud), strict=False))
    assert len(pairs) >= 3
    assert max(abs(a - b) for a, b in pairs) < 45_000_000


def test_a_file_with_only_sound_keeps_the_rehearsals_picture(tmp_path: Path, stop):
    path = write_media(tmp_path / "lesson.wav", size=None, tone_hz=500, seconds=0.3)
    opened = room(f"file:{path}", has_slides=True)
    assert opened.missing == ()
    assert luma(taken(opened, 1, stop)[0].picture).std() > 20
    assert np.abs(heard(opened, 5, stop)[-1].samples).max() > 8000
    opened.close()


def test_a_video_without_sound_is_silent_and_says_so(tmp_path: Path, stop):
    opened = room(f"file:{write_media(tmp_path / 'mute.mp4', seconds=0.4)}")
    assert any("gives no sound" in words and "+mic:default" in words for words in opened.missing)
    assert not any(block.samples.any() for block in heard(opened, 5, stop))


def test_a_real_lesson_never_shows_the_rehearsals_slides(tmp_path: Path, stop):
    opened = room(f"file:{write_media(tmp_path / 'a.mp4', tone_hz=300, seconds=0.4)}", has_slides=True)
    assert any("no slides" in words and "+screen:0" in words for words in opened.missing)
    assert len({luma(one.picture).tobytes() for one in itertools.islice(opened.slides.frames(stop), 3)}) == 1
    opened.close()


def test_a_file_that_vanishes_gives_way_to_a_card_and_comes_back(tmp_path: Path, stop):
    path = write_media(tmp_path / "a.mp4", seconds=0.6)
    told: list[str] = []
    source = room(f"file:{path}", on_trouble=told.append).camera
    frames, away = [], path.with_suffix(".away")
    for frame in source.frames(stop):
        frames.append(frame)
        if len(frames) == 5:
            path.rename(away)
        if told and away.exists() and len(frames) > 60:
            away.rename(path)
        if len(told) == 2 or len(frames) > 400:
            break
    source.close()
    assert len(told) == 2
    assert "put it back" in told[0]
    assert "is back" in told[1]
    times = [frame.mono_ns for frame in frames]
    assert times == sorted(set(times))
    assert max(np.diff(times)) < 1_300_000_000


def test_a_vanished_file_does_not_keep_a_room_from_opening(tmp_path: Path, stop):
    path = write_media(tmp_path / "a.mp4", tone_hz=300, seconds=0.4)
    spec = parse_source(f"file:{path}")
    path.unlink()
    opened = open_room(spec, size=(320, 180), fps=25, seed=1, has_slides=False)
    assert any("a.mp4" in words for words in opened.missing)
    assert len(taken(opened, 3, stop)) == 3
    assert len(heard(opened, 3, stop)) == 3


def test_stopping_ends_every_reader_at_once(tmp_path: Path, stop):
    path = write_media(tmp_path / "a.mp4", times=[0.0, 3.0], tone_hz=300, seconds=3)
    opened = room(f"file:{path}")
    readers = [
        threading.Thread(target=lambda g=g: list(g)) for g in (opened.camera.frames(stop), opened.sound.blocks(stop))
    ]
    for reader in readers:
        reader.start()
    time.sleep(0.5)
    begun = time.monotonic()
    stop.set()
    for reader in readers:
        reader.join()
    assert time.monotonic() - begun < 2
    opened.close()


def test_reading_again_joins_the_running_file(tmp_path: Path, stop):
    opened = room(f"file:{write_media(tmp_path / 'a.mp4', seconds=3.0)}")
    first = taken(opened, 1, stop)[0]
    time.sleep(1.0)
    second = taken(opened, 2, stop)[-1]
    moved = (np.median(luma(second.picture)) - np.median(luma(first.picture))) / 2
    assert moved == pytest.approx((second.mono_ns - first.mono_ns) / 40e6, abs=1.5)


def test_recorded_speech_is_heard_as_it_was_recorded(speech: Path, stop):
    path = min((speech / "librispeech").rglob("*.flac"))
    blocks = heard(room(f"rehearsal+file:{path}"), 100, stop)
    wave = np.concatenate([block.samples for block in blocks]).astype(float)
    assert np.sqrt((wave**2).mean()) > 100
    assert set(np.diff([block.mono_ns for block in blocks])) == {20_000_000}


def test_a_broken_pass_is_told_as_lost(tmp_path: Path, stop):
    from agent.capture.file import FileSound
    from agent.capture.pace import CommonStart
    from agent.capture.probe import probe

    path = write_media(tmp_path / "a.wav", size=None, tone_hz=500, seconds=0.1)
    facts = probe(path)
    path.unlink()
    with pytest.raises(SourceLost, match="put the file back"):
        list(FileSound(facts, CommonStart()).blocks(stop))
