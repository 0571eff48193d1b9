"""Power cut, kill and full disk in mid-recording, with the agent's own recorder and real encoders."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import av
import pytest

from agent.record.package import PackageDraft, read_manifest
from agent.record.recorder import LessonRecorder
from agent.record.store import FolderStore, PackageRef
from agent.record.trouble import SealFailed
from agent.record.writer import Needs
from contract.result import RoomResult
from tests.agent.record.packets import START_NS, Camera, Microphone, order, standpoint

pytestmark = [pytest.mark.paired, pytest.mark.faults]

HERE = Path(__file__).resolve().parents[2]
REF = PackageRef("s-test-1", "room-a")


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stderr.strip()


def needs_root():
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("mounting a file system needs root")


@contextmanager
def mounted(image, folder):
    """`image` (ext4) mounted on `folder` by a loop device; skips in words where this machine has none."""
    folder.mkdir()
    code, words = run("mount", "-o", "loop", str(image), str(folder))
    if code != 0:
        pytest.skip(f"this machine cannot loop-mount an image: {words}")
    try:
        yield folder
    finally:
        for _ in range(50):
            code, words = run("umount", str(folder))
            if code == 0:
                break
            time.sleep(0.1)
        assert code == 0, words


def ext4(path, size_mib):
    needs_root()
    if shutil.which("mkfs.ext4") is None:
        pytest.skip("mkfs.ext4 is not installed")
    with path.open("wb") as file:
        file.truncate(size_mib << 20)
    code, words = run("mkfs.ext4", "-q", "-F", "-m", "0", str(path))
    assert code == 0, words
    return path


class Lesson:
    """The recording process, and what it has taken so far."""

    def __init__(self, root):
        command = [sys.executable, "-m", "tests.faults.record_lesson", str(root), "60"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=HERE)
        self.taken = {"camera": 0.0, "slides": 0.0}
        self.words = []
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self):
        for line in self.process.stdout:
            what, rest = line.split(maxsplit=1)
            if what in self.taken:
                self.taken[what] = float(rest)
            else:
                self.words.append(rest)

    def wait_for(self, t):
        deadline = time.monotonic() + t + 30
        while self.taken["camera"] < t:
            assert self.process.poll() is None, "the recording process ended by itself"
            assert time.monotonic() < deadline, "the recording does not get on"
            time.sleep(0.005)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)
        self._thread.join(10)
        self.process.stdout.close()


def seen(path):
    """Pictures that can really be decoded, and the time at which the last of them ends."""
    with av.open(str(path)) as container:
        times = [frame.time for frame in container.decode(video=0)]
    assert times == sorted(times)
    return len(times), times[-1]


def check(root, taken, most_s):
    """The package in `root` is mended and sealed as the next run of the agent does it, and little is missing."""
    folder = root / REF.session / REF.room
    before = read_manifest(folder)
    assert {part.file for part in before.parts} == {"camera.mp4", "slides.mp4"}, "the draft names the parts"
    package = PackageDraft.reopen(folder)
    sealed = package.seal(before.seconds, ("camera", "slides"), RoomResult())
    for part in sealed.parts:
        assert part.closed == "crash"
        frames, last = seen(folder / part.file)
        assert frames == part.video_frames
        frame_s = 1 / part.fps
        lost = taken[part.track] - (part.start_t + last)
        assert lost <= most_s + frame_s, f"{part.track}: {lost:.2f} s are missing"
        assert frames >= (part.seconds - frame_s / 2) * part.fps - 1, "nothing is missing in between"
    camera = next(part for part in sealed.parts if part.track == "camera")
    assert camera.audio_seconds >= camera.seconds - 0.5
    assert sealed.gaps


def test_a_power_cut_costs_at_most_a_second_of_the_recording(tmp_path):
    image = ext4(tmp_path / "disk.img", 64)
    with mounted(image, tmp_path / "disk") as disk:
        lesson = Lesson(disk / "packages")
        try:
            lesson.wait_for(6.0)
            taken = dict(lesson.taken)
            copy = tmp_path / "copy.img"
            code, words = run("cp", "--sparse=always", str(image), str(copy))
            assert code == 0, words
        finally:
            lesson.kill()
    with mounted(copy, tmp_path / "after") as after:  # the journal is replayed, as at the next start
        check(after / "packages", taken, 1.0)


def test_a_kill_costs_at_most_half_a_second_of_the_recording(tmp_path):
    lesson = Lesson(tmp_path / "packages")
    try:
        lesson.wait_for(4.3)
    finally:
        lesson.kill()
    assert lesson.words == []
    check(tmp_path / "packages", lesson.taken, 0.5)


@contextmanager
def small_volume(kind, tmp_path):
    needs_root()
    if kind == "ext4":
        with mounted(ext4(tmp_path / "small.img", 12), tmp_path / "small") as folder:
            yield folder
        return
    folder = tmp_path / "small"
    folder.mkdir()
    code, words = run("mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder))
    if code != 0:
        pytest.skip(f"this machine cannot mount a tmpfs: {words}")
    try:
        yield folder
    finally:
        code, words = run("umount", str(folder))
        assert code == 0, words


def fill(folder, leave_bytes, name="ballast"):
    ballast = folder / name
    with ballast.open("wb") as file:
        file.write(b"\0" * max(0, shutil.disk_usage(folder).free - leave_bytes))
        file.flush()
        os.fsync(file.fileno())
    return ballast


@pytest.mark.parametrize("kind", ["tmpfs", "ext4"])
async def test_a_full_disk_closes_the_file_whole_and_recording_goes_on_when_there_is_space(tmp_path, kind):
    with small_volume(kind, tmp_path) as volume:
        store = FolderStore(volume / "packages")
        one = order(1000.0)
        package = store.draft(one, one.rooms[0], standpoint())
        camera, sound = Camera(), Microphone()
        told = []

        def keyframe(track):
            camera.force = True

        needs = Needs(store.free_bytes, keyframe, told.append, reserve_bytes=0, space_check_s=0.2)
        recorder = LessonRecorder(
            package,
            tracks={"camera": 25},
            sound=True,
            begin_mono_ns=START_NS,
            end_mono_ns=START_NS + 10**12,
            needs=needs,
        )
        recorder.start()
        clock = iter(range(100_000))

        def teach(seconds):
            for _ in range(round(seconds * 25)):
                index = next(clock)
                recorder.camera(camera.packet(index / 25))
                for half in range(2):
                    recorder.sound(sound.packet(START_NS + index * 40_000_000 + half * 20_000_000))

        def until(true):
            deadline = time.monotonic() + 60
            while not true():
                assert time.monotonic() < deadline, "waited too long"
                teach(1)
                time.sleep(0.05)

        teach(2)
        until(lambda: recorder.recording)
        ballast = fill(volume, 200_000)
        until(lambda: told)
        assert len(told) == 1
        assert "free space" in told[0]
        teach(2)  # the lesson goes on; nothing is raised, nothing is kept
        crumbs = fill(volume, 0, "crumbs")  # what the cut of the torn fragment gave back
        with pytest.raises(SealFailed, match="free space"):
            package.seal(1000.0, ("camera",), RoomResult())
        crumbs.unlink()
        ballast.unlink()
        until(lambda: recorder.recording)
        teach(2)
        recorder.end_at(START_NS + next(clock) * 40_000_000)
        recorder.camera(camera.packet(next(clock) / 25))
        manifest = await recorder.finish(RoomResult())
        first, *rest = manifest.parts
        assert first.closed == "disk-full"
        assert rest
        assert rest[-1].closed == "end"
        for part in manifest.parts:
            frames, _ = seen(package.folder / part.file)
            assert frames == part.video_frames > 0
        assert rest[-1].video_frames >= 50
        assert [gap.why for gap in manifest.gaps] == ["the disk took nothing"] * len(rest)
        assert read_manifest(package.folder) == manifest
        assert len(told) == 1
