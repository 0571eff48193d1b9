"""A room's sound as the analytics hear it: labels of who speaks, and the CPU that took."""

import itertools
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from agent.observe.voices import VoicesPart
from agent.observe.voices_spans import Label
from measures.speech import HOP_S
from measures.voices import Span, Voice, tidied
from models.ge2e import VoiceEncoder
from models.manifest import models_folder
from models.silero import HOP_SAMPLES, RATE_HZ, SpeechDetector

BATCH_HOPS = 6
"""About 200 ms a time, as the agent hands it on."""
VOICES = {label: Voice(label.name.lower()) for label in Label}
CHECKOUT = Path(__file__).parents[1] / ".weights"


def installed() -> Path:
    """Where the models are: the user's folder, or what the tests installed in this checkout."""
    return CHECKOUT if CHECKOUT.is_dir() else models_folder()


@dataclass(frozen=True)
class Heard:
    """What was made of one room's sound."""

    labels: np.ndarray
    """A `Label` for each hop of 32 ms, -1 where nothing was told; shape (hops,)."""
    voiced: np.ndarray
    """Probability of speech of each hop."""
    cpu_s: float
    seconds: float


def listen(sound: np.ndarray, played: np.ndarray | None = None) -> Heard:
    """Label 16 kHz sound, piece by piece as it would come; `played` is what the loudspeaker plays, if that is known."""
    folder = installed()
    hearing, part = SpeechDetector(folder), VoicesPart(VoiceEncoder(folder))
    hops = len(sound) // HOP_SAMPLES
    spans, probabilities = [], []
    began = time.process_time()
    for first in range(0, hops, BATCH_HOPS):
        here = slice(first * HOP_SAMPLES, min(hops, first + BATCH_HOPS) * HOP_SAMPLES)
        probability = hearing.update(sound[here])
        probabilities.append(probability)
        spans += part.update(sound[here], probability, first * HOP_S, None if played is None else played[here])
    spans += part.flush()
    cpu_s = time.process_time() - began
    labels = np.full(hops, -1)
    for span in spans:
        labels[round(span.start_s / HOP_S) : round((span.start_s + span.seconds) / HOP_S)] = span.label
    return Heard(labels, np.concatenate(probabilities), cpu_s, len(sound) / RATE_HZ)


def spans_of(labels: np.ndarray) -> tuple[Span, ...]:
    """Labels of hops as spans; -1 is a hole."""
    edges = [0, *(np.flatnonzero(np.diff(labels)) + 1).tolist(), len(labels)]
    spans = [
        Span(first * HOP_S, (last - first) * HOP_S, VOICES[Label(labels[first])])
        for first, last in itertools.pairwise(edges)
        if last > first and labels[first] >= 0
    ]
    return tidied(spans, 0.0, len(labels) * HOP_S)


def labels_of(spans: tuple[Span, ...], hops: int) -> np.ndarray:
    """Spans as labels of hops; -1 where they have a hole."""
    of_voice = {voice: label for label, voice in VOICES.items()}
    labels = np.full(hops, -1)
    for span in spans:
        labels[round(span.start_s / HOP_S) : round(span.end_s / HOP_S)] = of_voice[span.voice]
    return labels
