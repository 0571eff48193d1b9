"""What shows and sounds the other rooms, as those who hand it over see it."""

from typing import Protocol, runtime_checkable

import av
import numpy as np
from numpy.typing import NDArray

from agent.stream.played import PlayedTaker


class Playout(Protocol):
    """Shows and sounds what comes from another room."""

    def picture(self, room: str, track: str, picture: av.VideoFrame) -> None:
        """Show one picture; called on a thread of its track, in order."""

    def sound(self, room: str, samples: NDArray[np.int16]) -> None:
        """Play samples, 48 kHz mono; called on the event loop."""


@runtime_checkable
class Choosy(Protocol):
    """A playout that does not show every track."""

    def wants(self, room: str, track: str) -> bool:
        """Whether pictures of this track are shown; asked for every picture, from any thread."""


@runtime_checkable
class Audible(Protocol):
    """A playout that knows when sound handed to it will be heard."""

    def waiting_ms(self, room: str) -> float | None:
        """How long sound handed over now waits before it is heard; None where none is."""


@runtime_checkable
class Tapped(Protocol):
    """A playout that hands on what it plays."""

    def add_played_taker(self, take: PlayedTaker) -> None:
        """Give `take` every block that is played, 48 kHz mono, with the time at which it is heard."""

    def remove_played_taker(self, take: PlayedTaker) -> None:
        """Give it nothing more."""
