import pytest
from pydantic import TypeAdapter, ValidationError

from agent.area import Opposite
from agent.observe.view import WHOLE, Rectangle, View


@pytest.mark.parametrize("view", [View(), View(Rectangle(0, 0.25, 1, 1), Rectangle(0.1, 0, 0.9, 0.5))])
def test_a_view_survives_the_command_line(view: View):
    assert View.read(view.text()) == view


def test_two_opposite_corners_in_any_order_are_a_rectangle():
    told = TypeAdapter(Opposite).validate_python([[1.0, 0.9], [0.5, 0.2]])
    assert Rectangle.between(told) == Rectangle(0.5, 0.2, 1.0, 0.9)
    assert View().seats == WHOLE
    assert View.of(told, told) == View(Rectangle(0.5, 0.2, 1.0, 0.9), Rectangle(0.5, 0.2, 1.0, 0.9))
    assert View.of(told, None).board is None


@pytest.mark.parametrize("corners", [[[0, 0], [0, 1]], [[0, 0], [1.2, 1]], [[0, 0]]])
def test_a_rectangle_of_nothing_or_beyond_the_picture_is_refused(corners: list[list[float]]):
    with pytest.raises(ValidationError):
        TypeAdapter(Opposite).validate_python(corners)
