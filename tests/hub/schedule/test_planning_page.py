"""docs/planning.md says what the files are: its examples hold, and it names every field."""

import re
from pathlib import Path

import pytest

from hub.schedule import facts, wants
from hub.schedule.check import check
from hub.schedule.district import District, Goals, Rules
from hub.schedule.plan import Held, Plan, Score, Served
from hub.schedule.slots import Bell, Window

PAGE = (Path(__file__).parents[3] / "docs" / "planning.md").read_text("utf-8")
MODELS = (
    *(District, Rules, Goals, Plan, Held, Served, Score, Bell, Window),
    *(facts.School, facts.UplinkLimit, facts.Room, facts.Teacher, facts.SchoolClass),
    *(wants.Lesson, wants.Request, wants.Pin, wants.Ban, wants.Wish),
)


def example(name: str) -> str:
    found = re.search(rf"<!-- example: {name} -->\n```json\n(.*?)```", PAGE, re.DOTALL)
    assert found
    return found[1]


def test_the_example_plan_holds_for_the_example_district():
    district = District.model_validate_json(example("district"))
    found = check(district, Plan.model_validate_json(example("plan")))
    assert found.violations == ()
    assert found.score == Score(served=3000, community=30, units=-15, minutes=-5, opened=-8, wishes=20)


@pytest.mark.parametrize("model", [District, facts.School, facts.Room, facts.Teacher, facts.SchoolClass])
def test_what_has_no_default_is_said_to_be_always_there(model):
    always = re.search(r"Without a default, so always there: (.*?)Ids are", PAGE, re.DOTALL)
    assert always
    for name, field in model.model_fields.items():
        assert (f"`{name}`" in always[1]) == field.is_required() or name in {"name", "teacher"}, name


@pytest.mark.parametrize("model", MODELS)
def test_every_field_and_every_default_figure_is_named(model):
    for name, field in model.model_fields.items():
        assert f"`{name}`" in PAGE, name
        if model in {Rules, Goals}:
            assert f"`{name}` ({field.default})" in PAGE
