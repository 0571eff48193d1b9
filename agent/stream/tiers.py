"""Which tier of the camera each room gets: the recorded one where its link carries it, else the lower one.

Pure but for what it is handed. One slow room never degrades the others: those who can take
the recorded tier do, all the others share the lower one, made for the weakest of them.
"""

from collections.abc import Callable

from agent.stream.fanout import TrackFanout

LEAVE = 0.85
"""Below this share of the recorded bitrate a room goes to the lower tier; the encoder rarely needs all of it."""
RETURN = 1.1
"""From this share on it comes back."""
SHARE = 0.9
"""Of what the weakest room can take, this much goes into pictures; the rest is headers and repairs."""
MIN_BPS = 70_000


class CameraTiers:
    """Decides for all peers of one lesson, on the event loop."""

    def __init__(
        self, full: TrackFanout, full_bps: int, lower: TrackFanout | None, want: Callable[[int], bool]
    ) -> None:
        """Prepare.

        Args:
            full: the recorded tier.
            full_bps: its bitrate, in bit/s.
            lower: the lower tier; None where this machine cannot make one.
            want: asks for the lower tier at a bitrate (0: not any more); whether it can be made.
        """
        self.full_bps = full_bps
        self._full = full
        self._lower = lower
        self._want = want
        self._needs: dict[object, int] = {}
        """What each peer on the lower tier can take for the camera, in bit/s."""
        self._made = False

    def choose(self, peer: object, camera_bps: int) -> TrackFanout | None:
        """The tier for a peer.

        Args:
            peer: who asks; asks again a few times a second.
            camera_bps: what its link can take for the camera, in bit/s.

        Returns:
            Where its pictures come from; None where its link is too weak for any.
        """
        slow = peer in self._needs
        if self._lower is None or camera_bps >= self.full_bps * (RETURN if slow else LEAVE):
            self.leave(peer)
            return self._full if self._lower is not None or camera_bps >= MIN_BPS else None
        self._needs[peer] = camera_bps
        self._tell()
        return self._lower if self._made and camera_bps >= MIN_BPS else None

    def leave(self, peer: object) -> None:
        """A peer has gone, or needs the lower tier no more."""
        if self._needs.pop(peer, None) is not None:
            self._tell()

    def _tell(self) -> None:
        able = [bps for bps in self._needs.values() if bps >= MIN_BPS]
        self._made = self._want(round(min(able) * SHARE) if able else 0)
