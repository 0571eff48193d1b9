"""Child processes of the demonstration: what is started is ended, also where the user is impatient."""

import subprocess
import sys
import time

import psutil
import pytest

from demo.processes import ChildDied, Children

DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
WILLING = "import time; print('up', flush=True); time.sleep(60)"


class Scripts(Children):
    """Children that run a script in place of a `tongtang` command."""

    def start(self, name: str, *arguments: str) -> None:
        with self._log(name).open("ab") as file:
            command = [sys.executable, "-c", *arguments]
            self._running[name] = subprocess.Popen(command, stdout=file, stderr=file, start_new_session=True)
        until = time.monotonic() + 60
        while "up" not in self._log(name).read_text() and time.monotonic() < until:
            time.sleep(0.01)


@pytest.fixture
def children(tmp_path):
    made = Scripts(tmp_path)
    yield made
    made.kill_all()


def test_a_stop_that_was_interrupted_can_be_repeated(children, monkeypatch):
    children.start("room", WILLING)
    pid = children.pid("room")

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(subprocess.Popen, "wait", interrupted)
        with pytest.raises(KeyboardInterrupt):
            children.stop()
    children.stop()
    assert not psutil.pid_exists(pid)


def test_a_child_that_does_not_end_is_killed(children, monkeypatch):
    monkeypatch.setattr("demo.processes.TERM_S", 0.3)
    children.start("room", DEAF)
    pid = children.pid("room")
    children.stop("room")
    assert not psutil.pid_exists(pid)


def test_a_child_that_ended_by_itself_is_told_with_the_end_of_its_log(children):
    children.start("room", "print('up'); print('no camera here', flush=True); raise SystemExit(3)")
    until = time.monotonic() + 60
    with pytest.raises(ChildDied, match=r"room ended by itself \(code 3\):[\s\S]*no camera here"):
        while time.monotonic() < until:
            children.check()
            time.sleep(0.01)


def test_killing_all_leaves_nobody(children):
    for name in ("one", "two"):
        children.start(name, DEAF)
    pids = [children.pid(name) for name in ("one", "two")]
    children.kill_all()
    assert not any(psutil.pid_exists(pid) for pid in pids)
