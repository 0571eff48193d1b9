from pathlib import Path

import pytest

from agent.capture.sources import SourceRefused, parse_source
from tests.agent.capture.conftest import write_media


def parts(text):
    spec = parse_source(text)
    return str(spec.picture), spec.sound and str(spec.sound), spec.slides and str(spec.slides)


@pytest.mark.parametrize(
    "text,expected",
    [
        ("rehearsal", ("rehearsal", None, None)),
        (" rehearsal ", ("rehearsal", None, None)),
        ("camera:0", ("camera:0", None, None)),
        ("Camera:02+mic:default", ("camera:2", "mic:default", None)),
        ("camera:0+mic:", ("camera:0", "mic", None)),
        ("camera:0+mic:USB 麦克风", ("camera:0", "mic:USB 麦克风", None)),
        ("camera:0+screen:1", ("camera:0", None, "screen:1")),
        ("camera:0+mic:2+screen:1", ("camera:0", "mic:2", "screen:1")),
        ("screen:0", ("screen:0", None, "screen:0")),
        ("mic:", ("rehearsal", "mic", None)),
        ("rtsp://u:p@10.0.0.8:554/a+b?x=1", ("rtsp://u:p@10.0.0.8:554/a+b?x=1", None, None)),
        ("rtsp://10.0.0.8/1+mic:0", ("rtsp://10.0.0.8/1", "mic:0", None)),
    ],
)
def test_a_source_string_names_picture_sound_and_slides(text, expected):
    assert parts(text) == expected


@pytest.mark.parametrize(
    "text,words",
    [
        ("", "empty"),
        ("   ", "empty"),
        ("camra:0", "did you mean camera:N"),
        ("webcam:0", "did you mean camera:N"),
        ("http://10.0.0.8/x", "there is no source"),
        ("camera:abc", "'abc' is not a number"),
        ("camera:-1", "not a number"),
        ("camera", "number is missing"),
        ("screen:", "number is missing"),
        ("camera:²", "not a number"),
        ("file:", "names no path"),
        ("rtsp://", "names no host"),
        ("rtsp:10.0.0.8", "rtsp://10.0.0.8/stream1"),
        ("rehearsal:2", "takes nothing after it"),
        ("rehearsal+lesson.wav", "there is no source 'lesson.wav'"),
        ("camera:0+", "nothing beside it"),
        ("+mic:0", "nothing beside it"),
        ("camera:0+camera:1", "two pictures"),
        ("camera:0+mic:0+mic:1", "2 sounds"),
        ("camera:0+screen:0+screen:1", "2 screens"),
    ],
)
def test_a_wrong_source_is_refused_with_what_is_wrong_and_an_example(text, words):
    with pytest.raises(SourceRefused) as refused:
        parse_source(text)
    assert words in str(refused.value)
    assert any(form in str(refused.value) for form in ("example", "Examples", "write"))


def test_a_missing_file_is_refused_with_the_nearest_name(tmp_path: Path):
    write_media(tmp_path / "第一课.wav", size=None, tone_hz=300, seconds=0.2)
    with pytest.raises(SourceRefused, match=r"did you mean file:.*第一课.wav"):
        parse_source(f"file:{tmp_path / '第1课.wav'}")


def test_a_file_named_without_its_scheme_is_told_the_right_form(tmp_path: Path):
    path = write_media(tmp_path / "a.wav", size=None, tone_hz=300, seconds=0.2)
    with pytest.raises(SourceRefused, match=r"did you mean file:.*a\.wav"):
        parse_source(str(path))


def test_a_folder_is_refused(tmp_path: Path):
    with pytest.raises(SourceRefused, match="is a folder"):
        parse_source(f"file:{tmp_path}")


def test_a_path_may_hold_spaces_chinese_and_plus(tmp_path: Path):
    path = write_media(tmp_path / "三年级 数学+语文 (1).wav", size=None, tone_hz=300, seconds=0.2)
    spec = parse_source(f"rehearsal+file:{path}")
    assert spec.sound is not None
    assert spec.sound.path == path


def test_a_path_with_a_plus_and_a_scheme_in_it_is_the_file_if_it_exists(tmp_path: Path):
    short = write_media(tmp_path / "a.mp4", seconds=0.2)
    assert parts(f"file:{short}+mic:1") == (f"file:{short}", "mic:1", None)
    long = tmp_path / "a.mp4+mic:1"
    long.write_bytes(short.read_bytes())
    assert parts(f"file:{short}+mic:1") == (f"file:{long}", None, None)


def test_an_unknown_part_after_an_existing_file_is_named(tmp_path: Path):
    path = write_media(tmp_path / "a.mp4", seconds=0.2)
    with pytest.raises(SourceRefused, match="there is no source 'mik:0'; did you mean mic"):
        parse_source(f"file:{path}+mik:0")


@pytest.mark.parametrize("content", [b"", b"not a video at all, but words", bytes(range(256)) * 64])
def test_a_damaged_file_is_refused_in_words(tmp_path: Path, content: bytes):
    path = tmp_path / "坏.mp4"
    path.write_bytes(content)
    with pytest.raises(SourceRefused, match=r"坏\.mp4"):
        parse_source(f"file:{path}")


def test_a_video_cut_off_before_its_index_is_refused(tmp_path: Path):
    whole = write_media(tmp_path / "whole.mp4").read_bytes()
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(SourceRefused, match="cannot be read"):
        parse_source(f"file:{cut}")


def test_a_file_without_sound_is_refused_where_sound_is_named(tmp_path: Path):
    path = write_media(tmp_path / "mute.mp4", seconds=0.4)
    with pytest.raises(SourceRefused, match="holds no sound"):
        parse_source(f"rehearsal+file:{path}")
