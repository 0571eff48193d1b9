from pathlib import Path

from tests.hub_api.district import District
from tests.hub_api.routes.test_chapters import slides, upload


def found(hub: District, words: str, language: str = "en") -> str:
    return hub.http().get("/chapters", params={"q": words, "lang": language}).text


def test_lessons_are_found_by_their_knowledge_points_and_lead_to_them(hub: District, tmp_path: Path):
    session = hub.session(seconds=60.0, title="八年级 <数学>")
    upload(hub, hub.lead, tmp_path / "p", session, *slides((0.0, "导入"), (20.5, "<b>面积法</b>")))
    hub.http().get(f"/lessons/{session}")
    page = found(hub, "面积")
    assert f'href="/lessons/{session}?t=20.5"' in page
    assert "&lt;b&gt;面积法&lt;/b&gt;" in page
    assert "八年级 &lt;数学&gt;" in page
    assert "Found: 1" in page
    assert "00:39" in page
    assert 'href="?lang=zh&amp;q=%E9%9D%A2%E7%A7%AF"' in page


def test_what_is_not_found_is_said_and_an_empty_search_says_nothing(hub: District):
    assert "No such knowledge point was found" in found(hub, 'x"><script>')
    assert "<script>" not in found(hub, 'x"><script>').replace('<script type="module"', "")
    assert "没有找到这个知识点" in found(hub, "面积", "zh")
    assert "not found" not in found(hub, " ")
    assert hub.http().get("/chapters").status_code == 200
