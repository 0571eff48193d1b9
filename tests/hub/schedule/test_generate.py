"""A made-up district: the same for the same seed, of the size that was asked for, with a plan that holds."""

import pytest

from hub.schedule.errors import DistrictWrong
from hub.schedule.generate import Extras, generate, planted
from hub.schedule.plan import fingerprint

PUBLISHED = {
    (37, 189, 600, 1): "274dc6296d365ee9f45ae33a17e483859d985ab3d1579350e532bf67a0789922",
    (37, 189, 800, 1): "2dbdfa35f70838a534193124c92a22ebac0b97809e2e6517ae22f8ea98c7f2af",
    (37, 189, 1000, 1): "57596062168a5b068ae464b4771aaa3b09c02a1d234f92da9f406814b14cda9c",
    (37, 189, 800, 2): "d617d2cda0871cd3a9d6624551ec26190451bc3c8d7eac04f6afb4721f629a83",
    (37, 189, 800, 3): "807294126cf46ec51e5887e5c4a6cef1275afd857be3c2ec2c23d3c06d7dfd1d",
}
"""As docs/planning.md has them: whoever compares solvers compares them on these."""


@pytest.mark.parametrize("arguments", PUBLISHED)
def test_the_published_districts_are_made_byte_for_byte(arguments):
    assert fingerprint(generate(*arguments)) == PUBLISHED[arguments]


def test_a_district_has_the_size_that_was_asked_for_and_a_place_for_nine_of_ten():
    district, plan = planted(12, 50, 205, seed=3)
    assert (len(district.schools), len(district.rooms), len(district.requests)) == (12, 50, 205)
    assert len(plan.served) == 185
    assert not (district.pins or district.bans or district.wishes)
    weights = {school.id: 3 if school.under_resourced else 1 for school in district.schools}
    home = {one.id: one.school for one in district.classes}
    assert {request.weight == weights[home[request.school_class]] for request in district.requests} == {True}
    assert {3, 1} == {request.weight for request in district.requests}


def test_extras_bring_what_the_benchmark_leaves_out_and_leave_the_rest_as_it_was():
    district = generate(12, 50, 200, 3, Extras.every(0.3))
    assert {request.mode for request in district.requests} == {"delivery", "master", "open"}
    assert district.pins
    assert district.bans
    assert district.wishes
    assert any("lab" in request.needs for request in district.requests)
    assert any(len(request.assistants) == 2 for request in district.requests)
    wishing = generate(12, 50, 200, 3, Extras(wishes=0.5))
    assert wishing.wishes
    assert wishing.model_copy(update={"wishes": ()}) == generate(12, 50, 200, 3)


def test_more_requests_than_the_rooms_can_hold_are_refused_in_words():
    with pytest.raises(DistrictWrong, match=r"2 schools with 2 rooms hold \d+ of 720 requests"):
        generate(2, 2, 800)
    with pytest.raises(DistrictWrong, match="two schools at least"):
        generate(3, 2, 5)
