"""Slows down whoever guesses claim codes, and nobody for ever.

Wrong codes are counted by address and in all. Whoever has sent too many is told when to try again, and trying
meanwhile does not make it later. Behind one address may sit a whole school: while it is held off, five tries a
second are still looked at, so that a machine with a right code comes in although its neighbour sends wrong ones.
At that pace a code of 58.9 bits is not guessed.
"""

import ipaddress
import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field

WINDOW_S = 300.0
"""Wrong codes count for this long, in seconds."""
WRONG_BY_ADDRESS = 10
WRONG_IN_ALL = 300
LOOKED_AT_S = 0.2
"""While held off, one try in this many seconds is looked at, by address."""
LOOKED_AT_IN_ALL_S = 0.05
"""The same for everybody together, while the whole district is held off."""
ADDRESSES_KEPT = 4096
"""Beyond them the address that was wrong longest ago is forgotten; the count in all stays."""


@dataclass(slots=True)
class _Count:
    """Wrong tries of the last while, and when one was last looked at although there were too many."""

    most: int
    every_s: float
    wrong: deque[float] = field(default_factory=deque)
    looked_at: float = float("-inf")

    def wait_s(self, now: float) -> float:
        """Seconds until it is held off no more; 0 where it is not."""
        while self.wrong and self.wrong[0] <= now - WINDOW_S:
            self.wrong.popleft()
        return 0.0 if len(self.wrong) < self.most else self.wrong[0] + WINDOW_S - now

    def note(self, now: float) -> None:
        """One more wrong try; those made while held off are not counted, or the end would move away."""
        if self.wait_s(now) <= 0:
            self.wrong.append(now)


class Guesses:
    """Counts wrong codes. Thread-safe.

    Args:
        now: monotonic seconds.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._all = _Count(WRONG_IN_ALL, LOOKED_AT_IN_ALL_S)
        self._by_address: OrderedDict[str, _Count] = OrderedDict()

    def wait_s(self, address: str) -> float:
        """Seconds until `address` may try; 0 where this try may be looked at."""
        with self._lock:
            now = self._now()
            counts = [one for one in (self._by_address.get(network(address)), self._all) if one is not None]
            held = [one for one in counts if one.wait_s(now) > 0]
            if all(now - one.looked_at >= one.every_s for one in held):
                for one in held:
                    one.looked_at = now
                return 0.0
            return max(one.wait_s(now) for one in held)

    def wrong(self, address: str) -> float:
        """Note that a try was wrong; returns the seconds until `address` may try again, 0 for at once."""
        with self._lock:
            now = self._now()
            own = self._by_address.setdefault(network(address), _Count(WRONG_BY_ADDRESS, LOOKED_AT_S))
            self._by_address.move_to_end(network(address))
            while len(self._by_address) > ADDRESSES_KEPT:
                self._by_address.popitem(last=False)
            own.note(now)
            self._all.note(now)
            return max(own.wait_s(now), self._all.wait_s(now))


def network(address: str) -> str:
    """Whom an address stands for: itself, or in IPv6 the /64 in which anybody has any number of them.

    >>> network("2001:db8::1:2"), network("10.0.0.9")
    ('2001:db8::/64', '10.0.0.9')
    """
    try:
        known = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(known, ipaddress.IPv6Address):
        if known.ipv4_mapped is not None:
            return str(known.ipv4_mapped)
        return str(ipaddress.ip_network((known, 64), strict=False))
    return str(known)
