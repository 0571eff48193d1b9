from dataclasses import replace

import pytest

from hub.store.chapters import ChapterListRecord, ChapterRow, RevisionPast
from hub.store.store import Store
from tests.hub.store.test_sessions import order


@pytest.fixture
def store(database_url):
    store = Store.open(database_url)
    for number, title in enumerate(("八年级数学", "九年级数学")):
        store.sessions.add(order(f"s-000{number}", epoch=1000.0 * (number + 1), title=title), 5.0)
    yield store
    store.close()


def listed(session: str, *titles: str | None, rev: int = 1, **more: object) -> ChapterListRecord:
    rows = tuple(ChapterRow(10.0 * at, 10.0, title, "slide", 0.5) for at, title in enumerate(titles))
    return (
        ChapterListRecord(session, rev, False, "", 7.0, "1:basis", rows)
        if not more
        else replace(ChapterListRecord(session, rev, False, "", 7.0, "1:basis", rows), **more)
    )


def test_a_list_is_read_back_as_it_was_kept(store):
    kept = listed("s-0000", "导入", None, "面积法", edited=True, editor="operator", basis="")
    assert store.chapters.get("s-0000") is None
    store.chapters.put(kept, 0)
    assert store.chapters.get("s-0000") == kept
    assert store.chapters.bases() == {"s-0000": ""}


def test_a_shorter_list_leaves_nothing_of_the_longer_one(store):
    store.chapters.put(listed("s-0000", "导入", "面积法", "小结"), 0)
    store.chapters.put(listed("s-0000", "导入", rev=2), 1)
    assert [row.title for row in store.chapters.get("s-0000").rows] == ["导入"]
    assert store.chapters.find(["面积法"], 9) == []


@pytest.mark.parametrize("after", [0, 2])
def test_a_list_is_not_kept_in_place_of_another_than_was_looked_at(store, after):
    first = listed("s-0000", "导入")
    store.chapters.put(first, 0)
    with pytest.raises(RevisionPast):
        store.chapters.put(listed("s-0000", "面积法", rev=9), after)
    assert store.chapters.get("s-0000") == first


def test_chapters_are_found_by_words_of_their_titles_the_newest_lesson_first(store):
    store.chapters.put(listed("s-0000", "17.1 勾股定理（一）", "Area Method"), 0)
    store.chapters.put(listed("s-0001", "导入", "１７．１ 勾股定理", "100% 正确", "a_b"), 0)

    def found(*words: str, most: int = 9) -> list[tuple[str, str | None]]:
        return [(one.session, one.row.title) for one in store.chapters.find(words, most)]

    assert found("勾股") == [("s-0001", "１７．１ 勾股定理"), ("s-0000", "17.1 勾股定理（一）")]
    assert found("17.1", "勾股", most=1) == [("s-0001", "１７．１ 勾股定理")]
    assert found("AREA") == [("s-0000", "Area Method")]
    assert found("%") == [("s-0001", "100% 正确")]
    assert found("a_") == [("s-0001", "a_b")]
    assert found("没有") == []
    assert store.chapters.find(["area"], 9)[0].lesson == "八年级数学"


def test_what_is_dropped_is_not_found_any_more(store):
    store.chapters.put(listed("s-0000", "导入"), 0)
    store.chapters.put(listed("s-0001", "导入"), 0)
    store.chapters.drop(["s-0000", "s-none"])
    assert store.chapters.get("s-0000") is None
    assert [one.session for one in store.chapters.find(["导入"], 9)] == ["s-0001"]
