"""The observing process by itself, over its pipe: what it makes of slides."""

import io
import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from agent.capture.rehearsal import pages
from agent.observe.wire import NO_SLIDE_TEXT, Kind, Message, packed_picture, write_message

LOOKS = 20
"""Of each page, every half second."""


@pytest.fixture(scope="module")
def shown() -> bytes:
    """Two pages of the rehearsal, and the end."""
    stream = io.BytesIO()
    for look in range(2 * LOOKS):
        grey = cv2.cvtColor(pages.images()[look // LOOKS], cv2.COLOR_BGR2GRAY)
        write_message(stream, Message(Kind.SLIDES, look * 500_000_000, packed_picture(np.asarray(grey))))
    write_message(stream, Message(Kind.STOP, 0))
    return stream.getvalue()


def told_by(folder: Path, shown: bytes, *arguments: str) -> list[dict]:
    command = [sys.executable, "-m", "agent.observe", str(folder), *arguments]
    done = subprocess.run(command, input=shown, capture_output=True, timeout=110, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return [json.loads(line) for line in done.stdout.splitlines()]


def slides_of(told: list[dict]) -> list[dict]:
    return [one for one in told if one["what"] == "finding" and one["kind"] == "slide"]


def test_slides_are_told_with_title_and_text(tmp_path, shown):
    pytest.importorskip("rapidocr", reason="slides are read with rapidocr, which is not installed")
    told = told_by(tmp_path, shown)
    first, second = slides_of(told)
    assert (first["mono_ns"], second["mono_ns"]) == (0, LOOKS * 500_000_000)
    assert first["value"]["title"] == "勾股定理"
    assert second["value"]["title"] == "探究一：数一数，三个正方形的面积"
    assert "八年级数学·17.1" in first["value"]["text"].replace(" ", "")
    assert not [one for one in told if one["what"] == "trouble" and one["part"] == "slides"]
    memories = [one["memory"]["index"] for one in told if one["what"] == "memory"]
    assert memories == [1, 2], "each slide is remembered once it has been told"


def test_a_process_that_is_not_to_read_slides_counts_them(tmp_path, shown):
    told = slides_of(told_by(tmp_path, shown, NO_SLIDE_TEXT))
    assert [one["value"]["index"] for one in told] == [1, 2]
    assert [(one["value"]["title"], one["value"]["text"]) for one in told] == [(None, None)] * 2


def test_without_the_package_it_says_so_once_and_counts_slides(tmp_path, shown):
    script = (
        "import sys, runpy, importlib.util as util\n"
        "find = util.find_spec\n"
        "util.find_spec = lambda name, package=None: None if name == 'rapidocr' else find(name, package)\n"
        "sys.argv = ['agent.observe', sys.argv[1]]\n"
        "runpy.run_module('agent.observe', run_name='__main__')\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    done = subprocess.run(command, input=shown, capture_output=True, timeout=110, check=False)
    assert done.returncode == 0, done.stderr.decode()
    told = [json.loads(line) for line in done.stdout.splitlines()]
    (trouble,) = [one for one in told if one["what"] == "trouble" and one["part"] == "slides"]
    assert "rapidocr is not installed" in trouble["words"]
    assert [one["value"]["index"] for one in slides_of(told)] == [1, 2]
