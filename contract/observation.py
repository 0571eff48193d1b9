"""One line of `timeline.jsonl`: one time-stamped result of on-device analytics."""

from typing import Any, Literal

from pydantic import Field

from contract.model import Message


class Observation(Message):
    """One observation, in session time.

    Kinds so far: `speech` (a turn: `seconds`), `voice` (`voice`: teacher, student, several or silence; `seconds`),
    `level` (of a second: `dbfs`, `peak_dbfs`, `clipped`), `people` (`count`, `faces`; `still` where nothing had moved
    since anybody looked, at most 10 s ago),
    `seats` (once a minute: `share`, by row, of the pictures in which a cell of the seats held a head; None where
    unknown), `board` (`position` along the board, `people` there; both None where unknown), `slide` (`index`,
    `title`, `text`, `title_confidence`; None where it was gone before it was read, or cannot be),
    `words` (of a stretch told as the teacher's voice: `text`, `language`, `engine`; only with a recogniser that the
    operator supplies), `mark` (`title`:
    somebody in the room set a mark; a chapter begins there),
    `cadence` (what is sampled how often, told when it changes: `speech_s`, `people_s`, `board_s`, `slides_s`; null
    where it is not; `level` and `why` once the machine was short).
    `confidence` is None where the value is unknown; unknown is a value, not an error.
    """

    v: Literal[1] = 1
    kind: str
    t: float = Field(description="Session time at which it begins, in seconds.")
    mono_ns: int = Field(description="The same on the device's monotonic clock.")
    boot: str = ""
    seconds: float = Field(0.0, ge=0, description="How long it lasts; 0 for a moment.")
    confidence: float | None = Field(None, ge=0, le=1)
    value: dict[str, Any] = Field(default_factory=dict)
