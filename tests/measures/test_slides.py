from measures.slides import SlideShown, slide_count, slide_stretches


def test_each_time_a_slide_comes_up_it_counts_also_after_indices_began_again():
    assert slide_count([SlideShown(0.0, 1), SlideShown(10.0, 2), SlideShown(20.0, 1)]) == 3
    assert slide_count([]) == 0


def test_where_no_slide_came_up_none_stood():
    assert slide_stretches([], 20.0) == []


def test_a_slide_stands_until_the_next_and_the_last_until_the_end():
    shown = [SlideShown(12.5, 2), SlideShown(0.5, 1)]
    assert [(one.index, one.start_s, one.seconds) for one in slide_stretches(shown, 20.0)] == [
        (1, 0.5, 12.0),
        (2, 12.5, 7.5),
    ]
