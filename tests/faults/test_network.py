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

pytestmark = pytest.mark.faults

PROBE = [sys.executable, "-m", "tests.faults.network.probe"]
THERE = ("lead", "far")


class Ear:
    """Listens in `far`; `packets` are (number, sent ns, arrived ns)."""

    def __init__(self, network, what="udp-listen", port=9000):
        self.network, self.port = network, port
        self.process = network.run(
            "far", [*PROBE, what, network.address("far"), str(port)], stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout.readline() == "ready\n"

    def send(self, count, per_second=500, size=200):
        command = [*PROBE, "udp-send", self.network.address("far"), str(self.port), str(count), str(per_second)]
        return self.network.run("lead", [*command, str(size)])

    def hear(self, settle_s=0.5):
        """End listening and return what came."""
        time.sleep(settle_s)
        self.process.terminate()
        return [tuple(map(int, line.split())) for line in self.process.stdout]


def ages_ms(packets):
    return [(arrived - sent) / 1e6 for _, sent, arrived in packets]


def probe(network, count, per_second=500, size=200, settle_s=0.5):
    ear = Ear(network)
    assert ear.send(count, per_second, size).wait(60) == 0
    return ear.hear(settle_s)


def tcp_bps(network, seconds, port=9100):
    ear = Ear(network, "tcp-listen", port)
    network.run("lead", [*PROBE, "tcp-send", network.address("far"), str(port), str(seconds)])
    return [float(line) for line in ear.process.stdout]


@pytest.mark.alone
def test_without_a_shape_everything_arrives_at_once(network):
    packets = probe(network(*THERE), 1000)
    assert [number for number, _, _ in packets] == list(range(1000))
    assert statistics.median(ages_ms(packets)) < 10


@pytest.mark.alone
def test_packets_are_lost_at_the_rate_asked_for_and_the_same_seed_loses_the_same_ones(network):
    came = []
    for seed in (7, 7, 8):
        one = network(*THERE, seed=seed)
        one.shape(("lead", "far"), Link(loss=0.1))
        came.append({number for number, _, _ in probe(one, 1000, 1000)})
        counts = one.counts(("lead", "far"))
        assert counts["lost"] == 1000 - len(came[-1])
    assert came[0] == came[1] != came[2]
    assert 1000 - len(came[0]) == pytest.approx(100, abs=30)


@pytest.mark.alone
def test_losses_come_in_bursts_of_the_length_asked_for(network):
    one = network(*THERE)
    one.shape(("lead", "far"), Link(loss=0.1, burst=5))
    came = {number for number, _, _ in probe(one, 4000, 1000)}
    runs, run = [], 0
    for number in range(4000):
        if number not in came:
            run += 1
        elif run:
            runs.append(run)
            run = 0
    assert sum(runs) / 4000 == pytest.approx(0.1, abs=0.035)
    assert statistics.mean(runs) == pytest.approx(5, abs=1.5)


@pytest.mark.alone
def test_delay_is_added_in_one_direction_only(network):
    one = network(*THERE)
    one.shape(("lead", "far"), Link(delay_ms=50))
    ages = ages_ms(probe(one, 500))
    assert min(ages) >= 50
    assert statistics.median(ages) == pytest.approx(50, abs=10)


@pytest.mark.alone
@pytest.mark.parametrize("reorder", [False, True])
def test_jitter_overtakes_only_where_that_is_asked_for(network, reorder):
    one = network(*THERE)
    one.shape(BOTH, Link(delay_ms=20, jitter_ms=30, reorder=reorder))
    packets = probe(one, 1000)
    numbers = [number for number, _, _ in packets]
    assert len(numbers) == 1000
    assert (numbers != sorted(numbers)) == reorder
    ages = ages_ms(packets)
    assert min(ages) >= 20
    # The median: a busy machine may be late with single packets.
    assert statistics.median(ages) < 60
    assert statistics.stdev(ages) > (6 if reorder else 2)


@pytest.mark.alone
def test_the_rate_holds_and_the_queue_says_how_much_may_wait(network):
    one = network(*THERE)
    one.shape(("lead", "far"), Link(rate_bps=1_000_000, queue_bytes=25_000))
    # 228 bytes on the wire, 1600 a second: nearly three times what fits.
    packets = probe(one, 4800, 1600, settle_s=1.0)
    seconds = (packets[-1][2] - packets[0][2]) / 1e9
    assert len(packets) * 228 * 8 / seconds == pytest.approx(1_000_000, rel=0.03)
    # 25 kB at 1 Mbps are 200 ms.
    # The median of a queue that is always full: a busy machine may be late with single packets.
    assert statistics.median(ages_ms(packets)) == pytest.approx(200, abs=20)
    assert one.counts(("lead", "far"))["overflowed"] == 4800 - len(packets)


@pytest.mark.alone
def test_tcp_feels_rate_and_loss(network):
    one = network(*THERE)
    one.shape(BOTH, Link(delay_ms=10, rate_bps=4_000_000, queue_bytes=50_000))
    whole = tcp_bps(one, 2)[-1]
    # Headers are 52 of 1500 bytes.
    assert whole == pytest.approx(4_000_000, rel=0.1)
    one.shape(BOTH, Link(delay_ms=30, loss=0.05))
    assert tcp_bps(one, 1, 9101)[-1] < 4_000_000


@pytest.mark.alone
def test_the_shape_changes_in_mid_run(network):
    one = network(*THERE)
    ear = Ear(one)
    sending = ear.send(1500, 500)
    time.sleep(1.2)
    one.shape(BOTH, Link(delay_ms=80))
    time.sleep(1.0)
    one.shape(BOTH, Link())
    assert sending.wait(20) == 0
    packets = ear.hear()
    assert len(packets) == 1500
    ages = ages_ms(packets)
    slow = [number for (number, _, _), age in zip(packets, ages, strict=True) if age > 40]
    assert 400 < len(slow) < 650
    assert slow == list(range(slow[0], slow[-1] + 1))
    assert statistics.median(ages[:300]) < 5
    assert statistics.median(ages[-300:]) < 5


@pytest.mark.alone
def test_a_cut_link_lets_nothing_through_until_it_is_healed(network):
    one = network(*THERE)
    ear = Ear(one)
    sending = ear.send(1500, 500)
    time.sleep(1.0)
    one.cut()
    time.sleep(1.0)
    one.heal()
    assert sending.wait(20) == 0
    arrived = [at for _, _, at in ear.hear()]
    longest_s = max(later - earlier for earlier, later in itertools.pairwise(arrived)) / 1e9
    assert longest_s == pytest.approx(1.0, abs=0.1)
    assert one.counts(("lead", "far"))["cut"] == 1500 - len(arrived)


@pytest.mark.alone
def test_one_pair_of_three_is_shaped_alone(network):
    one = network("lead", "near", "far")
    one.shape(("lead", "far"), Link(delay_ms=60))
    assert min(ages_ms(probe(one, 50))) >= 60
    ear = one.run("near", [*PROBE, "udp-listen", one.address("near"), "9000"], stdout=subprocess.PIPE, text=True)
    assert ear.stdout.readline() == "ready\n"
    one.run("lead", [*PROBE, "udp-send", one.address("near"), "9000", "50", "500", "100"]).wait(20)
    time.sleep(0.3)
    ear.terminate()
    _, sent, arrived = map(int, ear.stdout.readline().split())
    assert (arrived - sent) / 1e6 < 30


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


@pytest.mark.alone
def test_carrying_costs_little(network):
    one = network(*THERE)
    one.shape(BOTH, Link(delay_ms=20, rate_bps=4_000_000))
    before_cpu_s, _ = one.cost()
    assert len(probe(one, 2000, 400, 1100)) == 2000
    cpu_s, _ = one.cost()
    each_us = (cpu_s - before_cpu_s) / 2000 * 1e6
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
    deadline = time.monotonic() + 10
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
