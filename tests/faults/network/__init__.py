"""A bad network on one machine: namespaces joined by TUN devices, with loss, delay, rate and queue between them.

    with Network("lead", "far", seed=1) as network:
        network.shape(BOTH, Link(delay_ms=20, loss=0.05))
        process = network.run("far", [sys.executable, "-m", "..."])

Linux with root, /dev/net/tun and `ip`; elsewhere `Network` raises `NetworkUnavailable`, in words.
It needs no netem in the kernel. Nothing in it can reach anything outside of it.
"""

from tests.faults.network.link import BOTH, Direction, Link
from tests.faults.network.namespaces import NetworkUnavailable
from tests.faults.network.network import Network

__all__ = ["BOTH", "Direction", "Link", "Network", "NetworkUnavailable"]
