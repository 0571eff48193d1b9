import random
from pathlib import Path

import pytest

from agent.stream.congestion import CongestionController
from agent.stream.congestion.loss import LossPhase
from agent.stream.congestion.trendline import DelayTrend, Usage
from agent.stream.twcc import Feedback, FeedbackBuilder, parse_feedback
from tests.agent.stream.link_simulator import Cubic, Link, Reno, Simulation, mean_bps, queues, targets

SEEDS = pytest.mark.parametrize("seed", [1, 2, 3])


@SEEDS
def test_a_stream_of_2_mbps_fits_into_a_link_of_1_mbps_within_five_seconds(seed):
    simulation = Simulation(Link(rate_bps=1e6), seed)
    flow = simulation.add()
    simulation.run(40)
    assert 0.8e6 <= mean_bps(flow, 5, 40) <= 1e6
    for start_s in range(5, 40, 5):
        assert mean_bps(flow, start_s, start_s + 5) >= 0.78e6
    waits = sorted(queues(flow, 5, 40))
    assert waits[int(0.99 * len(waits))] < 150
    assert waits[-1] < 200  # a probe that finds the link full


@SEEDS
def test_a_cap_in_mid_lesson_holds_sound_up_for_less_than_three_seconds(seed):
    simulation = Simulation(Link(rate_bps=4e6), seed)
    flow = simulation.add()
    simulation.change(10, rate_bps=1e6)
    simulation.run(30)
    assert max(queues(flow, 13, 30)) < 150
    assert mean_bps(flow, 13, 30) >= 0.78e6


@SEEDS
def test_after_a_cap_of_300_kbps_is_lifted_2_mbps_are_back_within_ten_seconds(seed):
    simulation = Simulation(Link(rate_bps=4e6), seed)
    flow = simulation.add()
    simulation.change(10, rate_bps=3e5)
    simulation.change(30, rate_bps=4e6)
    simulation.run(60)
    assert mean_bps(flow, 15, 30) >= 0.75 * 3e5
    assert sorted(queues(flow, 15, 30))[int(0.95 * 150)] < 150
    assert min(targets(flow, 40, 60)) >= 1.9e6
    assert mean_bps(flow, 40, 60) >= 1.85e6


def test_without_probes_the_rate_comes_back_too_only_slower():
    simulation = Simulation(Link(rate_bps=3e5))
    flow = simulation.add(probes=False)
    simulation.change(15, rate_bps=4e6)
    simulation.run(60)
    assert mean_bps(flow, 50, 60) >= 1.85e6


@SEEDS
@pytest.mark.parametrize("burst", [1.0, 4.0])
def test_five_percent_of_random_loss_on_a_wide_link_costs_little_rate(seed, burst):
    simulation = Simulation(Link(rate_bps=1e8, loss=0.05, burst=burst), seed)
    flow = simulation.add()
    simulation.run(90)
    wanted = flow.wanted_bps
    low = sum(bps < 0.8 * wanted for bps in targets(flow, 0, 90)) / len(targets(flow, 0, 90))
    assert low <= 0.1
    assert mean_bps(flow, 10, 90) >= 0.8 * 0.95 * wanted


def test_ten_percent_of_random_loss_is_borne_too():
    simulation = Simulation(Link(rate_bps=1e8, loss=0.10))
    flow = simulation.add()
    simulation.run(60)
    assert mean_bps(flow, 10, 60) >= 0.8 * 0.9 * flow.wanted_bps


@SEEDS
@pytest.mark.parametrize("wanted_bps", [200_000, 345_000])
def test_whoever_sends_little_keeps_all_of_it_at_five_percent_of_random_loss(seed, wanted_bps):
    simulation = Simulation(Link(rate_bps=1e8, loss=0.05), seed)
    flow = simulation.add(wanted_bps=wanted_bps)
    simulation.run(40)
    assert min(targets(flow, 3, 40)) >= wanted_bps


def test_loss_from_sending_too_much_is_told_from_loss_of_the_link():
    simulation = Simulation(Link(rate_bps=1e6, policer=True))
    flow = simulation.add()
    simulation.run(60)
    assert mean_bps(flow, 10, 60) >= 0.85e6
    sent = sum(targets(flow, 10, 60)) / len(targets(flow, 10, 60))
    assert sent <= 1.15e6
    assert flow.lost / flow.sent <= 0.06


def test_a_narrow_link_with_loss_of_its_own_is_filled_and_not_overfilled():
    simulation = Simulation(Link(rate_bps=1e6, loss=0.05))
    flow = simulation.add()
    simulation.run(60)
    assert mean_bps(flow, 10, 60) >= 0.75e6
    assert max(queues(flow, 10, 60)) < 150


def test_a_queue_too_short_to_show_delay_is_filled_without_lasting_loss():
    simulation = Simulation(Link(rate_bps=1e6, queue_bytes=5_000))
    flow = simulation.add()
    simulation.run(60)
    assert mean_bps(flow, 5, 60) >= 0.75e6


@SEEDS
def test_two_flows_share_a_link_although_one_came_later(seed):
    simulation = Simulation(Link(rate_bps=2e6), seed)
    first, second = simulation.add(), simulation.add(start_us=5_000_000)
    simulation.run(120)
    a, b = mean_bps(first, 40, 120), mean_bps(second, 40, 120)
    assert 0.4 <= a / (a + b) <= 0.6
    assert a + b >= 1.5e6


def test_a_constant_flow_gets_what_it_needs_and_the_rest_is_used():
    simulation = Simulation(Link(rate_bps=2e6))
    flow = simulation.add()
    simulation.constant(1e6, 10, 30)
    simulation.run(45)
    assert 0.75e6 <= mean_bps(flow, 14, 30) <= 1e6
    assert max(queues(flow, 14, 30)) < 150
    assert mean_bps(flow, 37, 45) >= 1.6e6


@SEEDS
def test_nobody_starves_beside_a_download_and_the_queue_is_short_again_after_it(seed):
    simulation = Simulation(Link(rate_bps=4e6, queue_bytes=100_000), seed)
    flows = [simulation.add(), simulation.add()]
    download = simulation.tcp(10, 90)
    simulation.run(120)
    for flow in flows:
        assert mean_bps(flow, 30, 90) >= 0.4e6
        assert sum(queues(flow, 100, 120)) / 200 < 80
    assert download.arrived_bytes * 8 / 80 >= 0.8e6


@SEEDS
@pytest.mark.parametrize("kind", [Reno, Cubic])
@pytest.mark.parametrize(
    ("rate_bps", "queue_s", "count", "least"),
    [(3e6, 0.3, 2, 0.35), (2e6, 0.3, 1, 0.5), (1e6, 0.3, 1, 0.7), (3e6, 0.1, 2, 0.25), (3e6, 0.6, 2, 0.3)],
    ids=["two on 3 Mbps", "one on 2 Mbps", "one on 1 Mbps", "a short queue", "a long queue"],
)
def test_nobody_gets_next_to_nothing_beside_a_download(seed, kind, rate_bps, queue_s, count, least):
    simulation = Simulation(Link(rate_bps=rate_bps, queue_bytes=rate_bps / 8 * queue_s), seed)
    flows = [simulation.add(camera_from_bps=70_000) for _ in range(count)]
    download = simulation.tcp(15, 45, kind)
    simulation.run(75)
    equal_bps = rate_bps / (count + 1)
    for flow in flows:
        assert mean_bps(flow, 20, 45) >= least * equal_bps
        assert mean_bps(flow, 50, 75) >= 0.5 * rate_bps / count
        assert sum(queues(flow, 50, 75)) / 250 < 40
    assert download.arrived_bytes * 8 / 30 >= 0.6 * equal_bps


@SEEDS
def test_an_encoder_that_makes_little_of_its_rate_is_not_held_where_it_is(seed):
    simulation = Simulation(Link(rate_bps=3e6, queue_bytes=112_500), seed)
    flows = [simulation.add(camera_from_bps=70_000, fills=0.6) for _ in range(2)]
    simulation.tcp(15, 50, Cubic)
    simulation.run(80)
    for flow in flows:
        assert mean_bps(flow, 20, 50) >= 0.25e6
        assert mean_bps(flow, 55, 80) >= 0.8e6


@SEEDS
@pytest.mark.parametrize("kind", [Reno, Cubic])
def test_to_see_whether_a_download_is_still_there_costs_half_the_rate_and_not_the_pictures(seed, kind):
    simulation = Simulation(Link(rate_bps=1e6, queue_bytes=37_500), seed)
    flow = simulation.add(camera_from_bps=70_000)
    simulation.tcp(15, 60, kind)
    simulation.run(60)
    assert min(targets(flow, 25, 60)) >= 150_000


@SEEDS
def test_three_of_ours_on_a_narrow_link_do_not_take_each_other_for_a_download(seed):
    simulation = Simulation(Link(rate_bps=2e6, queue_bytes=75_000), seed)
    flows = [simulation.add(start_us=number * 5_000_000) for number in range(3)]
    simulation.run(60)
    assert sorted(queues(flows[0], 20, 60))[380] < 150
    for flow in flows:
        assert mean_bps(flow, 20, 60) >= 0.5 * 2e6 / 3


@SEEDS
def test_whom_a_narrow_link_left_with_sound_alone_has_its_pictures_again_when_it_is_wide(seed):
    simulation = Simulation(Link(rate_bps=2e6, queue_bytes=12_500), seed)
    flow = simulation.add(camera_from_bps=70_000)
    simulation.change(10, rate_bps=9e4)
    simulation.change(20, rate_bps=2e6)
    simulation.run(45)
    assert sum(targets(flow, 15, 20)) / len(targets(flow, 15, 20)) < 115_000  # no pictures
    assert mean_bps(flow, 30, 45) >= 1e6


@pytest.mark.parametrize("jitter_us", [5_000, 20_000])
def test_jitter_is_no_congestion(jitter_us):
    simulation = Simulation(Link(rate_bps=1e7, jitter_us=jitter_us))
    flow = simulation.add()
    simulation.run(60)
    assert min(targets(flow, 0, 60)) >= 1.6e6
    assert mean_bps(flow, 5, 60) >= 1.8e6


def test_a_second_without_feedback_costs_no_picture_rate_for_long():
    simulation = Simulation(Link(rate_bps=1e7))
    flow = simulation.add()
    simulation.change(10, feedback_loss=1.0)
    simulation.change(11, feedback_loss=0.0)
    simulation.run(20)
    assert min(targets(flow, 10, 20)) >= 1.2e6
    assert min(targets(flow, 12, 20)) >= 1.9e6


def test_silence_lowers_the_rate_to_the_least_and_it_is_back_a_second_after_an_outage():
    simulation = Simulation(Link(rate_bps=1e7))
    flow = simulation.add()
    simulation.change(10, loss=1.0, burst=1e9, feedback_loss=1.0)
    simulation.change(20, loss=0.0, burst=1.0, feedback_loss=0.0, in_burst=False)
    simulation.run(30)
    assert targets(flow, 19, 20)[-1] == 60_000
    assert mean_bps(flow, 20, 21) >= 0.8e6
    assert min(targets(flow, 21, 30)) >= 1.5e6


@pytest.mark.parametrize("drift", [200e-6, -200e-6])
def test_clocks_that_drift_apart_change_nothing(drift):
    simulation = Simulation(Link(rate_bps=1e6))
    flow = simulation.add(drift=drift)
    simulation.run(90)
    assert mean_bps(flow, 5, 90) >= 0.8e6
    assert sorted(queues(flow, 5, 90))[int(0.99 * 850)] < 150


def test_a_lesson_that_needs_less_than_the_link_gives_lets_the_target_grow_only_so_far():
    simulation = Simulation(Link(rate_bps=1e8))
    flow = simulation.add()
    simulation.run(60)
    assert max(targets(flow, 0, 60)) <= 2.0 * 1.25 * flow.wanted_bps
    assert flow.probe_count <= 3


def test_the_16_bit_numbers_start_over_without_a_trace():
    simulation = Simulation(Link(rate_bps=1e7))
    flow = simulation.add(sequence=65_500)
    simulation.run(10)
    assert flow.sequence < 65_500
    assert min(targets(flow, 0, 10)) >= 2e6


def test_a_receiver_clock_that_starts_over_is_no_queue():
    controller = CongestionController(1_000_000, 60_000, 4_000_000)
    wrap_us = 64_000 << 24
    builder = FeedbackBuilder()
    for number in range(1000):
        now_us = number * 10_000
        controller.sent(number, 1200, now_us)
        builder.arrived(number, wrap_us - 5_000_000 + now_us + 20_000)
        if number % 10 == 9:
            for packet in builder.build(1, 2, wrap_us - 5_000_000 + now_us + 20_000):
                controller.feedback(parse_feedback(packet), now_us + 40_000)
    assert controller.target_bps >= 1_000_000
    assert controller.queue_ms < 5


def test_feedback_about_packets_that_were_never_sent_changes_nothing():
    dice = random.Random(3)
    controller = CongestionController(1_000_000, 60_000, 4_000_000)
    for number in range(300):
        packets = [
            (dice.randrange(65536), dice.choice([None, dice.randrange(1 << 40)])) for _ in range(dice.randrange(1, 50))
        ]
        controller.feedback(Feedback(1, 2, number & 0xFF, packets), number * 50_000)
    assert controller.target_bps == 1_000_000


def test_feedback_that_lies_never_breaks_the_bounds():
    dice = random.Random(5)
    controller = CongestionController(1_000_000, 60_000, 4_000_000)
    for number in range(3000):
        controller.sent(number & 0xFFFF, dice.randrange(40, 1500), number * 5_000)
        if number % 10 == 0:
            packets = [
                ((number - dice.randrange(200)) & 0xFFFF, dice.choice([None, dice.randrange(-(1 << 30), 1 << 40)]))
                for _ in range(20)
            ]
            controller.feedback(Feedback(1, 2, 0, packets), number * 5_000)
            controller.probe(number * 5_000)
            controller.tick(number * 5_000)
            assert 60_000 <= controller.target_bps <= 4_000_000


def test_a_foreign_peer_is_served_by_its_estimate_and_its_reports():
    controller = CongestionController(2_000_000, 60_000, 4_000_000)
    controller.on_remb(800_000, 1_000_000)
    assert controller.target_bps == 800_000
    controller.on_receiver_report(0.3, 2_000_000)
    assert controller.target_bps == 680_000
    controller.on_receiver_report(0.05, 3_000_000)
    assert controller.target_bps == 680_000
    for second in range(4, 30):
        controller.on_remb(5_000_000, second * 1_000_000)
        controller.on_receiver_report(0.0, second * 1_000_000)
    assert controller.target_bps > 3_000_000


def without_feedback(seconds, reported):
    """A sender of 2 Mbps to a peer that has reports alone; `reported` says for a second whether one comes."""
    controller = CongestionController(2_000_000, 60_000, 4_000_000)
    controller.expects_feedback = False
    found = []
    for tick in range(seconds * 20):
        for number in range(10):
            controller.sent((tick * 10 + number) & 0xFFFF, 1200, tick * 50_000 + number)
        controller.tick(tick * 50_000)
        if tick % 20 == 0 and reported(tick // 20):
            controller.on_receiver_report(0.0, tick * 50_000)
        found.append(controller.target_bps)
    return found


def test_a_foreign_peer_that_reports_each_seven_seconds_keeps_its_rate():
    assert min(without_feedback(60, lambda second: second % 7 == 6)) >= 2_000_000


def test_a_foreign_peer_that_falls_silent_gets_less_and_what_it_had_once_it_reports_again():
    found = without_feedback(60, lambda second: second % 5 == 4 and not 10 <= second < 50)
    assert found[45 * 20] <= 100_000
    assert found[-1] >= 1_000_000


def test_reports_do_not_count_while_transport_feedback_comes():
    simulation = Simulation(Link(rate_bps=1e7))
    flow = simulation.add()
    simulation.run(5)
    before = flow.controller.target_bps
    flow.controller.on_remb(100_000, simulation.now_us)
    flow.controller.on_receiver_report(0.5, simulation.now_us)
    assert flow.controller.target_bps == before


def test_nothing_falls_while_nothing_is_sent():
    controller = CongestionController(2_000_000, 60_000, 4_000_000)
    for tick in range(1000):
        controller.tick(tick * 100_000)
    assert controller.target_bps == 2_000_000


def test_a_delay_that_grows_by_a_tenth_is_overuse_and_one_that_shrinks_underuse():
    trend = DelayTrend()
    seen = {trend.add(10_000, 11_000) for _ in range(60)}
    assert Usage.OVERUSE in seen
    seen = {trend.add(10_000, 9_000) for _ in range(100)}
    assert Usage.UNDERUSE in seen
    for _ in range(100):
        last = trend.add(10_000, 10_000)
    assert last is Usage.NORMAL


def test_no_module_of_the_controller_reads_a_clock():
    folder = Path(__file__).parents[3] / "agent" / "stream"
    for path in [*folder.glob("congestion/*.py"), folder / "pacer.py", folder / "twcc.py"]:
        assert "import time" not in path.read_text()


def test_a_trial_of_loss_spares_what_the_present_pictures_need():
    simulation = Simulation(Link(rate_bps=1e8, loss=0.05), 3)
    flow = simulation.add(wanted_bps=850_000)
    flow.controller.loss.spared_bps = 790_000
    phases = set()
    for second in range(3, 30):
        simulation.run(second)
        phases.add(flow.controller.loss.phase)
    assert LossPhase.TRIAL in phases
    assert min(targets(flow, 3, 30)) >= 790_000


def test_where_no_cut_would_spare_the_pictures_loss_up_to_a_tenth_is_borne_without_a_trial():
    simulation = Simulation(Link(rate_bps=1e8, loss=0.05), 3)
    flow = simulation.add(wanted_bps=700_000)
    flow.controller.loss.spared_bps = 790_000
    simulation.run(30)
    assert min(targets(flow, 3, 30)) >= 700_000
    assert flow.controller.loss.inherent == pytest.approx(0.05, abs=0.03)
