from xml.etree import ElementTree as ET

import pytest

from hub.insight.plots.seats import CELL, INSET, seat_grid


def shapes(svg: str, kind: str) -> list[ET.Element]:
    return [one for one in ET.fromstring(svg).iter() if one.get("class") == f"p-{kind}"]


def test_a_squares_area_is_the_share_of_the_time_and_an_empty_cell_has_none():
    svg = seat_grid([[1.0, 0.25], [0.0, 0.5]], "Seats", "told", "seats-0")
    assert len(shapes(svg, "cell")) == 4
    full, quarter, half = (float(one.get("width")) for one in shapes(svg, "taken"))
    assert full == CELL - 2 * INSET
    assert (quarter / full) ** 2 == pytest.approx(0.25, abs=0.01)
    assert (half / full) ** 2 == pytest.approx(0.5, abs=0.01)


def test_shares_outside_of_their_bounds_stay_in_their_cells():
    assert [float(one.get("width")) for one in shapes(seat_grid([[7.0, -1.0]], "", "", "seats-0"), "taken")] == [
        CELL - 2 * INSET
    ]
