"""From the room's sound to turns of speech, and to whose they are."""

from collections.abc import Sequence
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from agent.observe.beside import BesideSound
from agent.observe.decimate import DELAY_S, RATE_IN_HZ, Decimator
from agent.observe.finding import Finding
from agent.observe.voices_spans import VoiceSpan
from measures.speech import HOP_S, Turn, TurnBuilder

HOLE_S: Final = 0.1
"""A step in the sound's times of more than this is a hole; less is the jitter of a sound card."""
RATE_HZ: Final = 16_000
HOP_SAMPLES: Final = round(HOP_S * RATE_HZ)

FloatArray = NDArray[np.float32]


class Hearing(Protocol):
    """Says how likely speech is, hop by hop; models.silero.SpeechDetector is one."""

    @property
    def pending(self) -> int:
        """Samples at 16 kHz that wait for the rest of their hop."""

    def update(self, samples: FloatArray) -> FloatArray:
        """Take sound at 16 kHz, return the probability of each hop that is now whole."""

    def reset(self) -> None:
        """Forget what was heard."""


class Voices(Protocol):
    """Says who speaks; agent.observe.voices.VoicesPart is one."""

    def update(
        self, sound: FloatArray, probabilities: FloatArray, start_s: float, played: FloatArray | None = None
    ) -> list[VoiceSpan]:
        """Take whole hops at 16 kHz with their probabilities of speech; return the spans that are now sure.

        `played` is what the loudspeaker plays meanwhile; None where nobody ever said.
        """

    def hole(self) -> list[VoiceSpan]:
        """The sound has a hole here."""

    def flush(self) -> list[VoiceSpan]:
        """The lesson is over: tell the rest and forget the voices."""


class SpeechPart:
    """Builds turns from blocks of sound, each with the time of its first sample; and voices, where they are told."""

    def __init__(self, hearing: Hearing, voices: Voices | None = None) -> None:
        self._hearing = hearing
        self._voices = voices
        self._played = BesideSound()
        self._decimator = Decimator()
        self._turns = TurnBuilder()
        self._due_ns: int | None = None
        self._sound: FloatArray = np.zeros(0, np.float32)
        """What the detector waits to be whole hops of."""

    def played(self, samples: NDArray[np.int16], mono_ns: int) -> None:
        """Take what the loudspeaker plays from `mono_ns` on, at 48 kHz, before the room's sound of the same time.

        What never comes was silent. Where a sound system misjudges its own delay by 0.1 s, nothing is lost.
        """
        self._played.update(samples, mono_ns)

    def update(self, samples: NDArray[np.int16], mono_ns: int) -> list[Finding]:
        """Take sound at 48 kHz that began at `mono_ns`; return the turns and voices that are now over.

        A step in the times ends what is open: nobody knows what was said in the hole.
        """
        turns: list[Turn] = []
        spans: list[VoiceSpan] = []
        if self._due_ns is None or abs(mono_ns - self._due_ns) > HOLE_S * 1e9:
            turns += self._turns.flush()
            spans += self._voices.hole() if self._voices else []
            self._decimator.reset()
            self._hearing.reset()
            self._sound = np.zeros(0, np.float32)
        self._due_ns = mono_ns + round(len(samples) / RATE_IN_HZ * 1e9)
        start_s = mono_ns / 1e9 - DELAY_S - self._hearing.pending / RATE_HZ
        low = self._decimator.update(samples)
        probabilities = self._hearing.update(low)
        for hop, probability in enumerate(probabilities):
            turns += self._turns.update(float(probability), start_s + hop * HOP_S)
        if self._voices:
            sound = np.concatenate([self._sound, low])
            whole = len(probabilities) * HOP_SAMPLES
            self._sound = sound[whole:]
            played = None if self._played.end_s is None else self._played.at(start_s, whole)[0]
            spans += self._voices.update(sound[:whole], probabilities, start_s, played)
        return [*_speech(turns), *_voice(spans)]

    def flush(self) -> list[Finding]:
        """End what is open: the lesson is over."""
        return [*_speech(self._turns.flush()), *_voice(self._voices.flush() if self._voices else [])]


def _speech(turns: Sequence[Turn]) -> list[Finding]:
    return [
        Finding(
            "speech",
            round(turn.start_s * 1e9),
            round(turn.seconds, 3),
            round(min(1.0, max(0.0, turn.probability)), 3),
            {"continues": True} if turn.continues else {},
        )
        for turn in turns
    ]


def _voice(spans: Sequence[VoiceSpan]) -> list[Finding]:
    return [
        Finding(
            "voice",
            round(span.start_s * 1e9),
            round(span.seconds, 3),
            round(span.confidence, 3),
            {"voice": span.label.name.lower()},
        )
        for span in spans
    ]
