"""Reading rendered slides with the real models: without the network, on one thread, in pieces."""

import builtins
import difflib
import json
import subprocess
import sys

import cv2
import numpy as np
import pytest

from agent.capture.rehearsal import pages
from agent.observe import ocr
from agent.observe.ocr import OcrUnusable, SlideReader
from agent.observe.titles import Line, guessed_title, page_text
from tests.agent.observe.decks import HELD, drawn

pytest.importorskip("rapidocr", reason="slides are read with rapidocr, which is not installed")

REHEARSED = (
    "勾股定理",
    "探究一：数一数，三个正方形的面积",
    "勾股定理",
    "证明：赵爽弦图",
    "例1：梯子能到多高？",
    "随堂练习（两个教室同时完成）",
    "课堂小结与作业",
)


@pytest.fixture(scope="module")
def reader() -> SlideReader:
    return SlideReader()


def lines_of(reader: SlideReader, image: np.ndarray) -> list[Line]:
    return [line for line in reader.read(np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY))) if line is not None]


def plain(text: str) -> str:
    return "".join(text.split()).casefold()


def test_titles_and_words_of_decks_that_no_rule_was_made_on(reader: SlideReader):
    rng = np.random.default_rng(201)
    hits = wrong = signs = 0
    for number, page in enumerate(HELD, start=1):
        slide = drawn(page, number, rng)
        lines = lines_of(reader, slide.steps[-1])
        title = guessed_title(lines)
        hits += title is not None and plain(title.text) == plain(slide.title)
        words, read = plain(slide.words), plain(page_text(lines))
        matches = difflib.SequenceMatcher(None, words, read, autojunk=False).get_matching_blocks()
        wrong += len(words) - sum(match.size for match in matches)
        signs += len(words)
    assert hits >= len(HELD) - 1
    assert wrong / signs <= 0.02


def test_titles_of_the_rehearsal(reader: SlideReader):
    found = [guessed_title(lines_of(reader, image)) for image in pages.images()]
    assert tuple(plain(title.text) if title else "" for title in found) == REHEARSED
    assert all(title is not None and 0 < title.confidence <= 1 for title in found)
    json.dumps([title.confidence for title in found if title is not None])


def test_an_empty_and_a_tiny_picture_have_no_words(reader: SlideReader):
    for shape in ((720, 1280), (90, 160), (2, 2)):
        assert lines_of(reader, np.full((*shape, 3), 255, np.uint8)) == []


def test_only_one_thread_works_and_nothing_asks_the_network():
    """In a process of its own, in which every way out is shut and every thread is counted."""
    script = """
import socket, threading
def refused(*_a, **_k): raise OSError("the network is shut")
socket.socket.connect = socket.socket.connect_ex = socket.socket.sendto = refused
socket.create_connection = socket.getaddrinfo = refused
import cv2, onnxruntime, psutil
from agent.capture.rehearsal import pages
from agent.observe.ocr import SlideReader
cv2.setNumThreads(1)
grey = cv2.cvtColor(pages.images()[0], cv2.COLOR_BGR2GRAY)
reader = SlideReader()
before = psutil.Process().num_threads()
made, whole = [], onnxruntime.InferenceSession.__init__
def noted(self, *args, **kwargs):
    whole(self, *args, **kwargs)
    made.append(self.get_session_options())
onnxruntime.InferenceSession.__init__ = noted
lines = [line.text for line in reader.read(grey) if line]
assert len(made) == 2, "one model finds lines, one reads them"
assert all(one.intra_op_num_threads == one.inter_op_num_threads == 1 for one in made), "one thread a model"
assert reader._engine.text_det is None and reader._engine.text_rec is None, "none stays in memory"
assert psutil.Process().num_threads() - before <= 1, "onnxruntime began threads of its own"
assert "勾股定理" in lines, lines
print("read")
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "read\n", "a library prints between the lines of the wire"


def test_without_the_package_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(ocr, "PACKAGE", "a_package_that_nobody_has")
    with pytest.raises(OcrUnusable, match="is not installed; run"):
        SlideReader()


def test_a_model_that_is_not_there_is_named(monkeypatch):
    monkeypatch.setattr(ocr, "READ_MODEL", "PP-OCRv6_rec_none.onnx")
    with pytest.raises(OcrUnusable, match=r"PP-OCRv6_rec_none\.onnx is not in the package"):
        list(SlideReader().read(np.zeros((720, 1280), np.uint8)))


def test_a_package_that_cannot_be_loaded_is_told_in_words(monkeypatch):
    whole = builtins.__import__

    def broken(name, *args, **kwargs):
        if name == "rapidocr":
            raise ImportError("libgeos is missing")
        return whole(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", broken)
    with pytest.raises(OcrUnusable, match="rapidocr failed: ImportError: libgeos is missing"):
        list(SlideReader().read(np.zeros((720, 1280), np.uint8)))
