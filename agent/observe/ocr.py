"""Reads the words on a slide: PP-OCRv6 small through rapidocr, whose models lie in its wheel.

Nothing is downloaded: every model is named by its path, and one that is not there is a trouble told
in words. One thread, a piece of work at a time, so that sound never waits for a whole page; one model
at a time in memory, and none between slides: they load in less than a tenth of a second.
"""

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.observe.titles import Line
from agent.platform import give_memory_back

PACKAGE: Final = "rapidocr"
FIND_MODEL: Final = "PP-OCRv6_det_small.onnx"
READ_MODEL: Final = "PP-OCRv6_rec_small.onnx"
SIDE: Final = 640
"""Longer side, in pixels, of the picture in which lines are looked for: as good on the rendered decks as
the package's own 736 lines, at a fifth of its time; the lines themselves are read from the whole picture."""
LINES_MOST: Final = 40
"""Lines read of one slide, the largest first."""
LEAST_SCORE: Final = 0.5
"""A line that is read less surely than this is left out."""


class OcrUnusable(Exception):
    """The words of slides cannot be read; the message says why."""


class SlideReader:
    """Reads slides; holds its models only while it does."""

    def __init__(self) -> None:
        """Look whether the package is there; nothing is loaded.

        Raises:
            OcrUnusable: it is not installed.
        """
        if importlib.util.find_spec(PACKAGE) is None:
            raise OcrUnusable(f"the package {PACKAGE} is not installed; run: pip install 'tongtang[agent]'")
        self._engine: Any = None

    def read(self, grey: NDArray[np.uint8]) -> Iterator[Line | None]:
        """Read a picture of shape (height, width) piece by piece, the largest lines first.

        Each step is one piece of work: loading (None), finding lines (None), reading one of them.

        Raises:
            OcrUnusable: a model is missing or damaged, or the package fails.
        """
        try:
            if self._engine is None:
                self._engine = _loaded()
                yield None
            try:
                yield from self._lines(grey)
            finally:
                self._engine.text_det = self._engine.text_rec = None
                give_memory_back()
        except OcrUnusable:
            raise
        except Exception as error:  # the package and onnxruntime raise types of their own, and publish few of them
            raise OcrUnusable(f"{PACKAGE} failed: {type(error).__name__}: {str(error)[:200]}") from error

    def _lines(self, grey: NDArray[np.uint8]) -> Iterator[Line | None]:
        from rapidocr.main import RapidOCRError  # noqa: PLC0415 - half a second and 20 MB, for whoever reads slides

        high, wide = grey.shape
        try:
            crops, found = self._engine.detect_and_crop(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR), {})
        except RapidOCRError:  # its way to say that there is no text
            return
        self._engine.text_det = None
        give_memory_back()
        yield None
        corners = np.asarray(found.boxes, np.float64)
        sides = corners.max(axis=1) - corners.min(axis=1)
        for index in np.argsort(-sides[:, 1], kind="stable")[:LINES_MOST]:
            told = self._engine.recognize_txt([crops[index]])
            text, score = str(told.txts[0]).strip(), float(told.scores[0])
            if not text or score < LEAST_SCORE:
                yield None
                continue
            (left, top), (width, height) = corners[index].min(axis=0).tolist(), sides[index].tolist()
            yield Line(text, left / wide, top / high, width / wide, height / high, score)


def _loaded() -> Any:
    import onnxruntime  # noqa: PLC0415 - as below
    from rapidocr import RapidOCR  # noqa: PLC0415 - half a second and 20 MB, for whoever reads slides

    spec = importlib.util.find_spec(PACKAGE)
    folder = Path(spec.origin).parent / "models" if spec is not None and spec.origin else Path()
    find, read = folder / FIND_MODEL, folder / READ_MODEL
    for path in (find, read):
        if not path.is_file():
            raise OcrUnusable(f"{path.name} is not in the package {PACKAGE}; install the version of requirements.lock")
    onnxruntime.disable_telemetry_events()
    return RapidOCR(
        params={
            "Global.use_cls": False,  # slides are not upside down
            "Global.use_vertical_padding": False,
            "Global.log_level": "critical",
            "EngineConfig.onnxruntime.intra_op_num_threads": 1,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
            "Det.model_path": str(find),
            "Det.limit_side_len": SIDE,
            "Det.limit_type": "max",
            "Rec.model_path": str(read),
            # The characters stand in the model; should they not, this keeps the package from downloading them.
            "Rec.rec_keys_path": str(read),
            "Rec.rec_batch_num": 1,
        }
    )
