"""`tongtang demo` as a user runs it: real processes, real WebRTC, real brokers."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import av
import numpy as np
import psutil
import pytest

from demo.summary import Summary
from tests.e2e import ctrl_c

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

SPEECH = Path(__file__).parents[3] / "shared" / "data" / "speech"
BROKER = "mosquitto" if shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin") else "amqtt"


def run_demo(out: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tongtang", "demo", "--no-browser", "--out", str(out), *more],
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )


def read_summary(out: Path) -> Summary:
    return Summary.model_validate_json((out / "summary.json").read_text())


def left_behind(out: Path) -> list[int]:
    return [
        one.pid
        for one in psutil.process_iter(["cmdline"])
        if any(str(out) in part for part in one.info["cmdline"] or [])
    ]


@pytest.mark.alone
def test_three_rooms_hold_a_whole_lesson(tmp_path):
    done = run_demo(tmp_path / "out", "--seconds", "8", "--rooms", "3", "--broker", "amqtt")
    whole(done, tmp_path / "out", 8, 3)


@pytest.mark.paired
def test_real_speech_and_a_real_video_file_make_a_lesson_and_mosquitto_carries_it(tmp_path):
    """What this machine lacks of the three is left out, and its own is tried."""
    speech = SPEECH / "ami" / "trn03.flac"
    lead = f"rehearsal+file:{speech}" if speech.exists() else "rehearsal"
    video = tmp_path / "录像 1.mp4"
    write_video(video)
    out = tmp_path / "out"
    done = run_demo(out, "--seconds", "12", "--lead", lead, "--receiving", f"file:{video}", "--broker", BROKER)
    summary = whole(done, out, 12, 2)
    if speech.exists():
        assert summary.timeline.speech_seconds > 3
    assert summary.rooms[0].received[0].video_frames > 100  # the file has 15 pictures a second


def whole(done: subprocess.CompletedProcess[str], out: Path, seconds: float, rooms: int) -> Summary:
    """The summary of a lesson of which nothing is missing."""
    assert done.returncode == 0, done.stdout + done.stderr
    summary = read_summary(out)
    has_the_fixed_form(json.loads((out / "summary.json").read_text()), rooms)
    assert summary.telemetry.lost == summary.telemetry.duplicated == 0
    assert summary.telemetry.produced > 10
    for room in summary.rooms:
        assert room.receipt
        assert Path(room.package, "manifest.json").exists()
        assert room.cpu_seconds > 0
        for received in room.received:
            assert received.latency_ms is not None
            assert 0 < received.latency_ms.p50 < 1000
            assert received.join_ms is not None
        for kept in room.recording:
            assert abs(kept.seconds - seconds) < 0.5
            with av.open(str(Path(room.package) / kept.file)) as file:
                assert sum(1 for _ in file.decode(video=0)) == kept.video_frames
    assert "本节课完整" in done.stdout
    assert left_behind(out) == []
    return summary


def has_the_fixed_form(found: dict[str, Any], rooms: int) -> None:
    """As DESIGN.md fixes it, key by key."""
    assert list(found) == ["version", "session", "seconds", "rooms", "telemetry", "timeline", "hub"]
    assert [room["room"] for room in found["rooms"]] == ["lead", "receiving-1", "receiving-2"][:rooms]
    for room in found["rooms"]:
        assert {*room} == {
            "room", "role", "package", "video_frames_sent", "received", "recording", "receipt", "cpu_seconds"
        }  # fmt: skip
        for received in room["received"]:
            assert {*received} == {"from", "video_frames", "audio_seconds", "latency_ms", "join_ms"}
            assert {*received["latency_ms"]} == {"p50", "p95", "error"}
        for kept in room["recording"]:
            assert {*kept} == {"track", "file", "parts", "seconds", "video_frames", "audio_seconds", "sha256"}
    assert {*found["telemetry"]} == {"produced", "stored", "lost", "duplicated"}
    assert {*found["timeline"]} == {"observations", "speech_seconds", "talk_share", "people", "slides"}
    assert found["timeline"]["talk_share"] is None or 0 <= found["timeline"]["talk_share"] <= 1


def write_video(path: Path) -> None:
    """Six seconds of 320x240 at 15 fps with sound: another size and rate than the lesson's."""
    with av.open(str(path), "w") as file:
        video = file.add_stream("libx264", rate=15)
        video.width, video.height, video.pix_fmt = 320, 240, "yuv420p"
        sound = file.add_stream("aac", rate=44_100, layout="mono")
        rng = np.random.default_rng(1)
        for index in range(90):
            picture = np.zeros((240, 320, 3), np.uint8)
            picture[:, (index * 4) % 300 :][:, :20] = rng.integers(0, 255, (240, 20, 3))
            file.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        for index in range(6 * 44_100 // 1024):
            block = (rng.normal(0, 800, (1, 1024))).astype(np.int16)
            frame = av.AudioFrame.from_ndarray(block, format="s16", layout="mono")
            frame.sample_rate, frame.pts = 44_100, index * 1024
            file.mux(sound.encode(frame))
        file.mux(video.encode(None))
        file.mux(sound.encode(None))


@pytest.mark.skipif(os.name != "posix", reason="Ctrl-C is sent as SIGINT")
@pytest.mark.parametrize("moment", ["中心 hub", "rooms online", "上课中 live"])
def test_ctrl_c_ends_the_lesson_properly_and_leaves_no_process(tmp_path, moment):
    out = tmp_path / "out"
    demo = subprocess.Popen(
        [sys.executable, "-m", "tongtang", "demo", "--no-browser", "--out", str(out), "--seconds", "60"],
        preexec_fn=ctrl_c.heeded(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    told = ""
    while moment not in told and (line := demo.stdout.readline()):
        told += line
    assert moment in told, told
    time.sleep(1)
    demo.send_signal(signal.SIGINT)
    told += demo.communicate(timeout=90)[0]
    assert demo.returncode == 130, told
    assert "Traceback" not in told
    assert left_behind(out) == []
    if "live" in moment:
        summary = read_summary(out)
        assert summary.seconds < 55
        for room in summary.rooms:
            assert room.receipt
            for kept in room.recording:
                assert abs(kept.seconds - summary.seconds) < 1
                assert (Path(room.package) / kept.file).stat().st_size > 0


@pytest.mark.parametrize(
    "source, words",
    [("camra:0", "camera"), ("file:nowhere.mp4", "nowhere.mp4"), ("camera:abc", "camera:0"), ("", "rehearsal")],
)
def test_a_wrong_source_is_told_before_anything_starts(tmp_path, source, words):
    done = run_demo(tmp_path / "out", "--lead", source)
    assert done.returncode == 2
    assert words in done.stdout + done.stderr
    assert not (tmp_path / "out").exists()


def test_a_folder_with_other_files_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("precious")
    done = run_demo(tmp_path, "--seconds", "4")
    assert done.returncode == 1
    assert "--out" in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
