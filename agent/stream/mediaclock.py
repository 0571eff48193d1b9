"""Capture time on the wire: the device's monotonic clock, anchored once to wall time, as NTP stamps.

The anchor is fixed when the process starts, so that stamps never step with the wall clock.
Source: RFC 5905, section 6 (timestamp format); abs-capture-time extension of WebRTC.
"""

from dataclasses import dataclass

NTP_UNIX_S = 2_208_988_800
"""Seconds from the NTP epoch (1900) to the Unix epoch (1970)."""


@dataclass(frozen=True, slots=True)
class MediaClock:
    """Maps the monotonic clock of one process to NTP stamps and back."""

    anchor_ns: int
    """Wall time minus monotonic time when the process started, in nanoseconds."""

    def ntp(self, mono_ns: int) -> int:
        """The NTP stamp (32.32 fixed point) of a moment on this device's monotonic clock."""
        return ns_to_ntp(mono_ns + self.anchor_ns)


def ns_to_ntp(unix_ns: int) -> int:
    """Nanoseconds since 1970 as a 64-bit NTP stamp."""
    return ((unix_ns + NTP_UNIX_S * 1_000_000_000) << 32) // 1_000_000_000 & 0xFFFF_FFFF_FFFF_FFFF


def ntp_to_ns(ntp: int) -> int:
    """A 64-bit NTP stamp as nanoseconds since 1970, rounded up so that the way there and back is exact."""
    return -(-(ntp * 1_000_000_000) >> 32) - NTP_UNIX_S * 1_000_000_000
