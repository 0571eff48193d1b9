"""The network that media is tested on does what it says: measured from inside, with UDP and TCP."""

import contextlib
import itertools
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.faults.network import BOTH, Link, NetworkUnavailable, namespaces
from tests.faults.network.link import Pipe
from tests.patience import until

pytestmark = pytest.mark.faults

PROBE = [sys.executable, "-m", "tests.faults.network.probe"]
THERE = ("lead", "far")


class Ear:
    """Listens in one place; `packets` are (number, sent ns, arrived ns)."""

    def __init__(self, network, what="udp-listen", port=9000, at="far"):
        self.network, self.port, self._at = network, port, at
        self._offered = network.counts(("lead", at))["offered"]
        self.process = network.run(
            at, [*PROBE, what, network.address(at), str(port)], stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout.readline() == "ready\n"

    def send(self, count, per_second=500, size=200):
        self._offered += count
        command = [*PROBE, "udp-send", self.network.address(self._at), str(self.port), str(count), str(per_second)]
        return self.network.run("lead", [*command, str(size)])

    def hear(self):
        """Return what came, once nothing of what was sent is under way any more."""
        until(self._carried)
        self.process.terminate()
        return [tuple(map(int, line.split())) for line in self.process.stdout]

    def _carried(self):
        counts = self.network.counts(("lead", self._at))
        known = sum(counts[fate] for fate in ("lost", "overflowed", "cut", "passed"))
        return self._offered <= counts["offered"] == known


def ages_ms(packets):
    return [(arrived - sent) / 1e6 for _, sent, arrived in packets]


def probe(network, count, per_second=500, size=200, at="far"):
    ear = Ear(network, at=at)
    assert ear.send(count, per_second, size).wait(60) == 0
    return ear.hear()


def tcp_bps(network, seconds, port=9100):
    """Bits a second of each half second, and in the end of the whole."""
    ear = Ear(network, "tcp-listen", port)
    network.run("lead", [*PROBE, "tcp-send", network.address("far"), str(port), str(seconds)])
    return map(float, ear.process.stdout)


@pytest.mark.paired
def test_without_a_shape_everything_arrives_at_once(network):
    packets = probe(network(*THERE), 300)
    assert [number for number, _, _ in packets] == list(range(300))
    assert statistics.median(ages_ms(packets)) < 10


@pytest.mark.paired
def test_packets_are_lost_at_the_rate_asked_for_and_the_same_seed_loses_the_same_ones(network):
    came = []
    for seed in (7, 7, 8):
        one = network(*THERE, seed=seed)
        one.shape(("lead", "far"), Link(loss=0.1))
        came.append({number for number, _, _ in probe(one, 1000, 4000)})
        counts = one.counts(("lead", "far"))
        assert counts["lost"] == 1000 - len(came[-1])
    assert came[0] == came[1] != came[2]
    assert 1000 - len(came[0]) == pytest.approx(100, abs=30)


@pytest.mark.paired
def test_losses_come_in_bursts_of_the_length_asked_for(network):
    one = network(*THERE)
    one.shape(("lead", "far"), Link(loss=0.1, burst=5))
    came = {number for number, _, _ in probe(one, 4000, 2000)}
    runs, run = [], 0
    for number in range(4000):
        if number not in came:
            run += 1
        elif run:
            runs.append(run)
            run = 0
    assert sum(runs) / 4000 == pytest.approx(0.1, abs=0.035)
    assert statistics.mean(runs) == pytest.approx(5, abs=1.5)


@pytest.mark.paired
def test_delay_is_added_in_one_direction_only(network):
    one = network(*THERE)
    one.shape(("lead", "far"), Link(delay_ms=50))
    ages = ages_ms(probe(one, 300))
    assert min(ages) >= 50
    assert statistics.median(ages) == pytest.approx(50, abs=10)


@pytest.mark.paired
@pytest.mark.parametrize("reorder", [False, True])
def test_jitter_overtakes_only_where_that_is_asked_for(network, reorder):
    one = network(*THERE)
    one.shape(BOTH, Link(delay_ms=20, jitter_ms=30, reorder=reorder))
    packets = probe(one, 500)
    numbers = [number for number, _, _ in packets]
    assert len(numbers) == 500
    assert (numbers != sorted(numbers)) == reorder
    ages = ages_ms(packets)
    assert min(ages) >= 20
    # The median: a busy machine may be late with single packets.
    assert statistics.median(ages) < 60
    assert statistics.stdev(ages) > (6 if reorder else 2)


@pytest.mark.paired
def test_the_rate_holds_and_the_queue_says_how_much_may_wait(network):
    one = network(*THERE)
    one.shape(("lead", "far"), Link(rate_bps=1_000_000, queue_bytes=25_000))
    # 228 bytes on the wire, 1600 a second: nearly three times what fits.
    packets = probe(one, 4800, 1600)
    seconds = (packets[-1][2] - packets[0][2]) / 1e9
    assert len(packets) * 228 * 8 / seconds == pytest.approx(1_000_000, rel=0.03)
    # 25 kB at 1 Mbps are 200 ms.
    # The median of a queue that is always full: a busy machine may be late with single packets.
    assert statistics.median(ages_ms(packets)) == pytest.approx(200, abs=20)
    assert one.counts(("lead", "far"))["overflowed"] == 4800 - len(packets)


@pytest.mark.paired
def test_tcp_feels_rate_and_loss(network):
    one = network(*THERE)
    one.shape(BOTH, Link(delay_ms=10, rate_bps=4_000_000, queue_bytes=50_000))
    *_, whole = tcp_bps(one, 2)
    # Headers are 52 of 1500 bytes.
    assert whole == pytest.approx(4_000_000, rel=0.1)
    one.shape(BOTH, Link(delay_ms=30, loss=0.05))
    assert statistics.mean(itertools.islice(tcp_bps(one, 60, 9101), 3)) < 4_000_000


@pytest.mark.paired
def test_the_shape_changes_in_mid_run(network):
    one = network(*THERE)
    ear = Ear(one)
    sending = ear.send(1000, 500)
    slower = some_later(one, lambda: one.shape(BOTH, Link(delay_ms=80)))
    right = some_later(one, lambda: one.shape(BOTH, Link()))
    assert sending.wait(60) == 0
    packets = ear.hear()
    assert len(packets) == 1000
    ages = {sent: (arrived - sent) / 1e6 for _, sent, arrived in packets}
    early, slow, late = during(ages, 0, slower[0]), during(ages, slower[1], right[0]), during(ages, right[1])
    assert statistics.median(early) < 5
    assert min(slow) >= 80
    assert statistics.median(slow) < 100
    assert statistics.median(late) < 5
    assert min(map(len, (early, slow, late))) > 50


def some_later(network, change, packets=200):
    """Change the network once some more packets have come; the monotonic ns before and after the change."""
    enough = network.counts(("lead", "far"))["offered"] + packets
    until(lambda: network.counts(("lead", "far"))["offered"] >= enough)
    before = time.monotonic_ns()
    change()
    return before, time.monotonic_ns()


def during(by_sent, begin_ns, end_ns=None):
    """What is told of the packets that were sent so long; not of those that a busy machine carried only afterwards."""
    spare_ns = 100_000_000
    end_ns = max(by_sent) if end_ns is None else end_ns - spare_ns
    return [told for sent, told in by_sent.items() if begin_ns + (spare_ns if begin_ns else 0) <= sent <= end_ns]


@pytest.mark.paired
def test_a_cut_link_lets_nothing_through_until_it_is_healed(network):
    one = network(*THERE)
    ear = Ear(one)
    sending = ear.send(1000, 500)
    cut, healed = some_later(one, one.cut), some_later(one, one.heal, 300)
    assert sending.wait(60) == 0
    packets = ear.hear()
    by_sent = {sent: arrived for _, sent, arrived in packets}
    assert min(len(during(by_sent, 0, cut[0])), len(during(by_sent, healed[1]))) > 50
    assert during(by_sent, cut[1], healed[0]) == []
    assert not [arrived for arrived in by_sent.values() if cut[1] + 50_000_000 < arrived < healed[0]]
    assert one.counts(("lead", "far"))["cut"] == 1000 - len(packets) >= 250


@pytest.mark.paired
def test_one_pair_of_three_is_shaped_alone(network):
    one = network("lead", "near", "far")
    one.shape(("lead", "far"), Link(delay_ms=60))
    assert min(ages_ms(probe(one, 50))) >= 60
    assert statistics.median(ages_ms(probe(one, 50, at="near"))) < 30


def test_a_machine_that_moves_is_reached_at_its_new_address_alone(network):
    one = network(*THERE)
    old = one.address("far")
    assert len(probe(one, 20)) == 20
    assert one.move("far") != old
    assert len(probe(one, 20)) == 20
    assert one.run("lead", [*PROBE, "udp-send", old, "9000", "5", "500", "100"]).wait(20) == 0


def test_nothing_leads_out_of_it(network):
    one = network(*THERE)
    routes = subprocess.run(
        ["ip", "-n", one.namespace("lead"), "route"], capture_output=True, text=True, check=True
    ).stdout
    assert "default" not in routes
    assert one.run("lead", [*PROBE, "udp-send", "192.0.2.1", "9", "1", "10", "50"], stderr=subprocess.DEVNULL).wait(20)


@pytest.mark.paired
def test_carrying_costs_little(network):
    one = network(*THERE)
    one.shape(BOTH, Link(delay_ms=20, rate_bps=4_000_000))
    before_cpu_s, _ = one.cost()
    assert len(probe(one, 800, 400, 1100)) == 800
    cpu_s, _ = one.cost()
    each_us = (cpu_s - before_cpu_s) / 800 * 1e6
    print(f"{each_us:.1f} us of CPU a packet")
    assert each_us < 150


def test_nothing_is_left_of_a_test_that_was_killed(network):
    network(*THERE)  # skips where there can be none
    script = (
        "import time; from tests.faults.network import Network\n"
        "with Network('lead', 'far') as one:\n"
        "    child = one.run('far', ['sleep', '100']); print(one.namespace('far'), child.pid, flush=True)\n"
        "    time.sleep(100)\n"
    )
    killed = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    space, child = killed.stdout.readline().split()
    assert space in namespaces.existing()
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    killed.stdout.close()
    deadline = time.monotonic() + 30
    while space in namespaces.existing():
        assert time.monotonic() < deadline, "the namespace of a killed test is still there"
        time.sleep(0.05)
    status = Path(f"/proc/{child}/stat")
    # A zombie waits for whoever adopts orphans here.
    assert not status.exists() or status.read_text().split()[2] == "Z"


def test_the_next_run_removes_what_was_killed_together_with_its_impairer(network):
    network(*THERE)
    gone = subprocess.Popen(["true"])
    gone.wait()
    stale = namespaces.namespace(gone.pid, 0, "lead")
    namespaces.ip("netns", "add", stale)
    try:
        network(*THERE)
        assert stale not in namespaces.existing()
    finally:
        with contextlib.suppress(NetworkUnavailable):
            namespaces.ip("netns", "del", stale)


def test_a_new_rate_holds_for_what_already_waits():
    pipe = Pipe("1")
    pipe.shape(Link(rate_bps=8_000), 0.0)
    for _ in range(10):
        pipe.put(bytes(1000), 0.0)
    assert len(pipe.take(2.0)) == 2
    pipe.shape(Link(rate_bps=80_000), 2.0)
    assert len(pipe.take(2.45)) == 4
    assert pipe.next_s() == pytest.approx(2.5)
    pipe.shape(Link(), 2.45)
    assert len(pipe.take(2.45)) == 4


@pytest.mark.parametrize("wrong", [{"loss": 1.5}, {"burst": 0}, {"delay_ms": -1}])
def test_a_link_that_cannot_be_is_refused_in_words(wrong):
    with pytest.raises(ValueError, match=r"share|below zero"):
        Link(**wrong)
