import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from agent.observe.voices_spans import LONGEST_S, Label, SpanBuilder, VoiceSpan
from measures.voices import Voice

HOP_S = 0.1
"""With hops of 0.1 s the gap of a second is told in hops of 32 ms: 31 of them."""
GAP_HOPS = 31
runs = st.lists(st.tuples(st.sampled_from(list(Label)), st.integers(1, 60)), min_size=1, max_size=12)


def spans(labels: list[int], cuts: tuple[int, ...] = ()) -> list[VoiceSpan]:
    builder = SpanBuilder(HOP_S)
    out = []
    start = 0
    for part in np.split(np.array(labels, np.int8), list(cuts)):
        out += builder.update(part, np.full(len(part), 0.5, np.float32), start * HOP_S)
        start += len(part)
    return out + builder.flush()


def joined(found: list[VoiceSpan]) -> list[tuple[Label, int]]:
    """Pieces of one voice put together: label and hops."""
    out: list[tuple[Label, int]] = []
    for one in found:
        hops = round(one.seconds / HOP_S)
        if out and out[-1][0] is one.label:
            out[-1] = (one.label, out[-1][1] + hops)
        else:
            out.append((one.label, hops))
    return out


def test_every_label_has_the_name_that_the_measures_know():
    assert {label.name.lower() for label in Label} == {voice.value for voice in Voice}


def test_a_breath_belongs_to_the_voice_on_both_its_sides():
    labels = [Label.TEACHER] * 20 + [Label.SILENCE] * (GAP_HOPS - 1) + [Label.TEACHER] * 20
    assert joined(spans(labels)) == [(Label.TEACHER, 40 + GAP_HOPS - 1)]


def test_a_long_silence_and_one_between_two_voices_stay_silence():
    long = [Label.TEACHER] * 20 + [Label.SILENCE] * GAP_HOPS + [Label.TEACHER] * 20
    between = [Label.TEACHER] * 20 + [Label.SILENCE] * 5 + [Label.STUDENT] * 20
    assert joined(spans(long))[1] == (Label.SILENCE, GAP_HOPS)
    assert joined(spans(between))[1] == (Label.SILENCE, 5)


@given(runs, st.integers(0, 300), st.integers(0, 300))
def test_spans_cover_every_hop_once_and_do_not_depend_on_how_the_hops_came(told, first, second):
    labels = [label for label, hops in told for _ in range(hops)]
    cuts = tuple(sorted(min(cut, len(labels)) for cut in (first, second)))
    found = spans(labels, cuts)
    at = 0.0
    for one in found:
        assert abs(one.start_s - at) < 1e-6
        assert 0 < one.seconds <= LONGEST_S / 0.032 * HOP_S + 1e-6
        at += one.seconds
    assert abs(at - len(labels) * HOP_S) < 1e-6
    assert joined(found) == joined(spans(labels))


def test_what_is_open_is_told_within_a_second_of_another_voice():
    builder = SpanBuilder(HOP_S)
    sure = np.full(40, 0.5, np.float32)
    assert builder.update(np.full(40, Label.TEACHER, np.int8), sure, 0.0) == []
    (one,) = builder.update(np.full(40, Label.SILENCE, np.int8), sure, 4.0)
    assert (one.label, round(one.seconds, 3)) == (Label.TEACHER, 4.0)
