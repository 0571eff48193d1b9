"""The package sherpa-onnx as an engine of recognisers: one call a stretch, on the threads that the manifest allows."""

import importlib.util
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from models.recogniser import RATE_HZ, FloatArray, Recogniser, RecogniserUnusable

PACKAGE: Final = "sherpa_onnx"


@dataclass(frozen=True, slots=True)
class Said:
    """What was understood of a stretch."""

    text: str
    confidence: float | None
    """Mean probability of the signs; None where the model gives none."""


class SherpaEngine:
    """Runs a model of one of the kinds that `Recogniser` knows."""

    def __init__(self, recogniser: Recogniser, files: Mapping[str, Path]) -> None:
        """Load the model; a model of another kind than the manifest says may end the whole process.

        Args:
            recogniser: the manifest.
            files: `model` and `tokens`, verified.

        Raises:
            RecogniserUnusable: the package is not installed, or refuses the model.
        """
        if importlib.util.find_spec(PACKAGE) is None:
            raise RecogniserUnusable("the package sherpa-onnx is not installed; run: pip install 'tongtang[asr]'")
        import sherpa_onnx  # noqa: PLC0415 - an extra of its own, for whoever has a recogniser

        make: Any = sherpa_onnx.OfflineRecognizer
        model, tokens = str(files["model"]), str(files["tokens"])
        more: dict[str, Any] = {"tokens": tokens, "num_threads": recogniser.threads, "sample_rate": RATE_HZ}
        try:
            if recogniser.kind == "sense_voice":
                language = recogniser.language.split("-")[0]
                self._engine = make.from_sense_voice(model=model, language=language, use_itn=True, **more)
            elif recogniser.kind == "paraformer":
                self._engine = make.from_paraformer(paraformer=model, **more)
            else:
                self._engine = getattr(make, f"from_{recogniser.kind}")(model=model, **more)
        except Exception as error:  # a library in C++, with exceptions of its own
            raise RecogniserUnusable(f"sherpa-onnx cannot run the recogniser {recogniser.name}: {error}") from error

    def words(self, sound: FloatArray) -> Said:
        """Understand a stretch at 16 kHz, -1 to 1, shape (samples,)."""
        stream = self._engine.create_stream()
        stream.accept_waveform(RATE_HZ, sound)
        self._engine.decode_stream(stream)
        logs = [float(one) for one in stream.result.ys_log_probs]
        confidence = min(1.0, math.exp(sum(logs) / len(logs))) if logs else None
        return Said(str(stream.result.text).strip(), confidence)
