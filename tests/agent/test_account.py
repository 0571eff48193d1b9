from agent.account import Counts, latency
from agent.stream.figures import PeerFigures


def test_what_an_earlier_incarnation_counted_is_carried_on(tmp_path):
    quality = tmp_path / "quality.jsonl"
    quality.write_text(
        '{"t":1,"sent":25,"frames":{"lead":24},"sound_s":{"lead":0.98}}\n'
        '{"t":2,"sent":50,"frames":{"lead":49},"sound_s":{"lead":1.98}}\n'
        '{"t":3,"sent":75,"fra'
    )
    both = Counts(10, {"lead": 9, "far": 1}, {"lead": 0.5}).plus(Counts.left_by(quality))
    assert both == Counts(60, {"lead": 58, "far": 1}, {"lead": 2.48, "far": 0.0})


def test_without_an_earlier_incarnation_counting_begins_at_zero(tmp_path):
    assert Counts.left_by(tmp_path / "nothing") == Counts()
    (tmp_path / "garbage").write_text("\x00\n[]\n{}\nnull\n")
    assert Counts.left_by(tmp_path / "garbage") == Counts()


def test_the_account_names_every_room_that_was_heard_in_any_incarnation():
    figures = {"far": PeerFigures(video_frames=5, audio_seconds=0.2, joins=2, join_ms=80.0)}
    counts = Counts.of(7, figures).plus(Counts(1, {"gone": 3}, {"gone": 0.1}))
    result = counts.result(figures, ("a word",), 1.234)
    assert {one.sender: one.video_frames for one in result.received} == {"far": 5, "gone": 3}
    assert result.video_frames_sent == 8
    assert result.cpu_seconds == 1.23
    assert result.words == ("a word",)


def test_latency_is_unknown_until_the_clock_between_the_rooms_is_known():
    assert latency(PeerFigures()) is None
    figures = PeerFigures(clock_error_ms=0.25)
    for age in range(100):
        figures.latencies.add(float(age))
    found = latency(figures)
    assert (found.p50, found.p95, found.error) == (50.0, 95.0, 0.25)
