"""`tongtang` with another rehearsal: rooms of portraits and real speech (benchmarks.rehearsal_scene).

python -m benchmarks.rehearsal_room ARGUMENTS OF tongtang
"""

from typing import Any

import tongtang
from agent.capture.rehearsal import lesson, voice
from benchmarks.rehearsal_scene import SeatedScene, spoken
from tests.models.recordings import SPEECH

PAGE_S = 30.0
"""How long each slide stands; reading one costs half a second of processor time."""


def loop(seed: int, *, lead: bool) -> Any:
    del seed
    return spoken(SPEECH, lead=lead)


if __name__ == "__main__":
    scenes: Any = lesson
    scenes.TeacherScene = scenes.PupilsScene = SeatedScene
    scenes.PAGE_S = PAGE_S
    if SPEECH.is_dir():
        voices: Any = voice
        voices.loop = loop
    tongtang.main()
