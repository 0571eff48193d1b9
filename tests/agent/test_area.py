import pytest
from pydantic import TypeAdapter, ValidationError

from agent.area import Area, outline


@pytest.mark.parametrize(
    ("corners", "words"),
    [
        ([[0.1, 0.1]], "two opposite corners"),
        ([[0.1, 0.1]] * 33, "three to 32"),
        ([[0.1, 0.1], [0.1, 0.9]], "covers nothing"),
        ([[0.1, 0.1], [0.5, 0.5], [0.9, 0.9]], "covers nothing"),
        ([[0, 0], [1, 1], [1, 0], [0, 1]], "cross each other"),
        ([[0.1, 0.1], [0.5, 1.5]], "less than or equal to 1"),
        ([[-0.1, 0.1], [0.5, 0.5]], "greater than or equal to 0"),
        ([[float("nan"), 0.1], [0.5, 0.5]], "finite number"),
        ([[0.1], [0.5, 0.5]], "required"),
        ("left", "valid tuple"),
    ],
)
def test_an_area_that_cannot_be_meant_is_refused_in_words(corners, words):
    with pytest.raises(ValidationError, match=words):
        TypeAdapter(Area).validate_python(corners)


def test_rectangles_and_polygons_are_understood():
    for corners in (((0.5, 0.5), (0.2, 0.1)), ((0.6, 0.2), (0.95, 0.3), (0.9, 0.9), (0.65, 0.8))):
        assert TypeAdapter(Area).validate_python([list(one) for one in corners]) == corners


def test_two_corners_say_a_rectangle_whichever_they_are():
    assert set(outline([(0.5, 0.25), (0.1, 1.0)])) == {(0.1, 0.25), (0.5, 0.25), (0.5, 1.0), (0.1, 1.0)}
