"""What a fact says, and why an import stays, in words that people use."""

import pytest

from hub.schedule.imports.saying import difference, field_told, value_told, why_not
from hub.schedule.register.kinds import MODELS, Kind
from hub.store.plan_facts import FactChange, NewImport, UndoRefused
from hub.store.store import Store

NAMES = {(Kind.TEACHER, "t-1"): "李梅"}


def called(kind, fact):
    return NAMES.get((kind, fact), "")


@pytest.mark.parametrize(
    ("field", "value", "zh", "en"),
    [
        ("teacher", "t-1", "李梅 (t-1)", "李梅 (t-1)"),
        ("assistants", ["t-1", "t-2"], "李梅 (t-1)、t-2", "李梅 (t-1), t-2"),
        ("times", [[1, 2], [3, 4]], "周一2、周三4", "Monday 2, Wednesday 4"),
        ("time", [5, 1], "周五1", "Friday 1"),
        ("assists", False, "否", "no"),
        ("seats", None, "未写", "not said"),
        ("seats", 1, "1", "1"),
        ("weeks", "A", "单周", "odd weeks"),
        ("weeks", 20, "20", "20"),
        ("equipment", ["lab", "lead"], "实验、主讲", "lab, lead"),
        ("bells", [{"begins": "08:00", "ends": "08:40"}], "08:00–08:40", "08:00–08:40"),
        ("entries", [{"day": 1, "period": 2, "subject": "英语", "weeks": "AB"}], "周一2 英语", "Monday 2 英语"),
    ],
)
def test_a_value_is_told_as_people_write_it(field, value, zh, en):
    assert value_told(field, value, "zh", called) == zh
    assert value_told(field, value, "en", called) == en


def test_every_field_of_every_fact_has_a_name_in_both_languages():
    for kind, model in MODELS.items():
        for field in model.model_fields:
            assert field_told(kind, field, "zh"), field
            assert field_told(kind, field, "en"), field


def test_of_two_lists_only_what_differs_is_told():
    lessons = [{"day": day, "period": 1, "subject": "英语"} for day in (1, 2, 3)]
    assert difference("entries", lessons[:2], lessons[1:], "zh", called) == ("周一1 英语", "周三1 英语")
    assert difference("entries", lessons[:2], lessons, "zh", called) == ("–", "周三1 英语")


def test_an_undo_that_cannot_be_says_what_to_undo_first_in_both_languages(tmp_path):
    store = Store.open(f"sqlite:///{tmp_path / 'hub.db'}")
    facts, before, made = store.plan_facts, None, []
    for number in range(8):
        after = f'{{"id": "s1", "name": "{number}"}}'
        new = NewImport("li", f"{number}.csv", "table", "", float(number))
        made.append(facts.apply(new, [FactChange("school", "s1", before, after)]).id)
        before = after

    def refusal(import_id):
        with pytest.raises(UndoRefused) as refused:
            facts.undo(import_id, "li", 9.0)
        return [why_not(refused.value).told(language) for language in ("zh", "en")]

    zh, en = refusal(made[5])
    assert "导入 i-000006 暂时不能撤销" in zh
    assert "i-000008（学校 s1）、i-000007（学校 s1）" in zh
    assert "i-000008 (school s1), i-000007 (school s1)" in en
    zh, en = refusal(made[0])
    assert "等，另有 2 次" in zh
    assert "and 2 more" in en
    facts.undo(made[7], "li", 9.0)
    assert "已经撤销过了" in refusal(made[7])[0]
    assert "没有编号为 i-000099 的导入" in refusal("i-000099")[0]
    store.close()
