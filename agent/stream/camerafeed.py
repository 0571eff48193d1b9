"""The camera on its way to one room: sent or not, and on which tier."""

import asyncio

from agent.stream.fanout import Feed, TrackFanout
from agent.stream.ladders import Stand
from agent.stream.pacer import Priority
from agent.stream.tiers import LEAVE, CameraTiers
from agent.stream.uplink import START_BPS, Uplink

GOVERN_S = 0.1
"""How often the camera's tier is looked at."""
OTHERS_BPS = 600_000
"""Sound and slides together, about; no probe for more than all of it."""
GUARD_BPS = 50_000
"""What sound takes in addition once it carries the packets before."""
PROBE_TIMES = 1.3
"""The link is probed for this much more than what is wanted: rates go up and down."""


class CameraFeed:
    """Sends the camera where the ladder allows it, on the tier that the link carries."""

    def __init__(self, feed: Feed, full: TrackFanout, tiers: CameraTiers | None, uplink: Uplink) -> None:
        """Nothing is sent before `run`.

        Args:
            feed: the track's way to the room.
            full: the recorded tier.
            tiers: which tier each room gets; None: the recorded one for all.
            uplink: of the room's transport.
        """
        self.stand: Stand | None = None
        """What the ladder says; None before its first look, when the camera may be sent."""
        self.is_full = True
        """Whether the recorded tier is sent."""
        self._feed = feed
        self._full = full
        self._tiers = tiers
        self._uplink = uplink
        full_bps = tiers.full_bps if tiers is not None else START_BPS
        self._full_bps = round(PROBE_TIMES * (full_bps + OTHERS_BPS))

    async def run(self) -> None:
        """Look at the tier often, until cancelled."""
        try:
            while True:
                chosen = self._choose()
                self._feed.follow(chosen)
                self.is_full = chosen is self._full
                await asyncio.sleep(GOVERN_S)
        finally:
            if self._tiers is not None:
                self._tiers.leave(self)

    def _choose(self) -> TrackFanout | None:
        uplink, stand, tiers = self._uplink, self.stand, self._tiers
        if stand is not None and not stand.send_camera:
            uplink.controller.wanted_bps = max(stand.probe_bps, OTHERS_BPS)
            if tiers is not None:
                tiers.leave(self)
            return None
        uplink.controller.wanted_bps = self._full_bps
        if tiers is None:
            return self._full
        others_bps = uplink.sent_bps(Priority.SOUND) + uplink.sent_bps(Priority.SLIDES)
        chosen = tiers.choose(self, uplink.target_bps - others_bps)
        # A look at what loss depends on is not worth a change of tier and back.
        full_needs_bps = round(1.03 * LEAVE * tiers.full_bps) + others_bps + GUARD_BPS
        uplink.controller.loss.spared_bps = full_needs_bps if chosen is self._full else 0
        return chosen
