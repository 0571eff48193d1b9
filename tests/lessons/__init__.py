"""Synthetic lessons: two rooms, built from real recorded speech by a seeded generator.

What is real: the voices. What is not: who says what when, the rooms (exponential reverberation), the noise
(pink), the loudspeaker (level and delay alone). English adults who read aloud; no children, no Mandarin.
Thresholds are chosen on `Part.TUNE` and reported on `Part.REPORT`; no voice is in both (recorded.py).
"""
