import re
from pathlib import Path

import httpx
import pytest
from starlette.requests import Request

import hub.console
from contract.session import Mode, Role
from contract.state import SessionState
from hub.archive import playback
from hub.console.facts_shown import KINDS_OF_CHANGE
from hub.console.overview import KINDS, RUNGS
from hub.console.plan_repair_offer import FIELDS
from hub.console.plan_repair_told import LEFT, NOBODY, OPEN, STALE, TAKEN
from hub.console.plan_repair_ways import COUNTED
from hub.console.report_figures import LESSON, ROOM
from hub.console.report_notes import EVERY
from hub.console.texts import language_of, load_texts
from hub.insight.accuracy import MEASURED
from hub.insight.editing import EDITED
from hub.insight.errors import Unfit
from hub.insight.month.fates import Fate
from hub.insight.month.report import UNITS
from hub.insight.report import Standing
from hub.insight.room import UNSEEN
from hub.schedule.desk.solving import SolveState
from hub.schedule.desk.states import PlanState
from hub.schedule.desk.week import Side
from hub.schedule.imports.columns import SETTINGS
from hub.schedule.imports.reading import FORMATS
from hub.schedule.plan import Score
from hub.session.remarks import Reason
from measures import figure
from measures.chapters import ChapterSource
from measures.st import ClassType
from measures.voices import Voice
from tests.hub_api.district import District

FOLDER = Path(hub.console.__file__).parent
TEXTS = load_texts()
HAN = re.compile(r"[\u3000-\u303f\u3400-\u9fff\uff00-\uffef]")


def written() -> list[Path]:
    return [*FOLDER.glob("templates/*.html"), *FOLDER.glob("static/*.js"), *FOLDER.glob("*.py")]


def test_both_languages_say_the_same_things():
    chinese, english = (TEXTS[language].under("") for language in ("zh", "en"))
    assert chinese.keys() == english.keys()
    for key in chinese:
        filled_in = [sorted(re.findall(r"\{\w+\}", words[key])) for words in (chinese, english)]
        assert filled_in[0] == filled_in[1], key
        assert chinese[key].strip(), key
        assert english[key].strip(), key


def test_templates_and_modules_hold_no_words_of_their_own():
    assert [path.name for path in written() if HAN.search(path.read_text(encoding="utf-8"))] == []


def test_every_text_that_is_asked_for_is_there_and_every_one_there_is_asked_for():
    source = "\n".join(path.read_text(encoding="utf-8") for path in written())
    asked = set(re.findall(r"""\bt\(\s*['"]([a-z_.0-9]+)['"]\s*[,)]""", source))
    asked |= set(re.findall(r"""['"]((?:presence|lesson|login|problem)\.[a-z_.]+)['"]""", source))
    asked |= {f"chapters.{key}" for key in re.findall(r"""\b(?:say|tool)\(\s*"([a-z_.]+)"\s*[,)]""", source)}
    asked |= set(re.findall(r"""['"](plan\.repair\.[a-z_.]+[a-z])['"]""", source))
    there = set(TEXTS["zh"].under(""))
    assert {key for key in asked - there if not key.endswith((".html", "."))} == set()
    by_name = (
        {f"state.{one}" for one in SessionState} | {f"role.{one}" for one in Role} | {f"mode.{one}" for one in Mode}
    )
    by_name |= {f"remark.{one}" for one in Reason} | {f"rung.{one}" for one in RUNGS}
    by_name |= {f"gap.{one}" for one in playback.Reason} | {f"chapters.unfit.{one}" for one in Unfit}
    by_name |= {f"chapters.source.{one}" for one in (*ChapterSource, EDITED)}
    by_name |= {f"insight.reason.{one}" for one in figure.Reason}
    by_name |= {f"insight.{one}" for one in ("talk_share", "far_share", "longest_wait")}
    by_name |= {f"plan.state.{one}" for one in PlanState} | {f"plan.solving.{one}" for one in SolveState}
    by_name |= {f"plan.side.{one}" for one in Side} | {f"plan.goal.{one}" for one in Score.model_fields}
    by_name |= {f"plan.day.{day}" for day in range(1, 8)}
    by_name |= {f"plan.show.{one}" for one in ("unserved", "served", "all")}
    by_name |= {f"plan.repair.kind.{one}" for one in FIELDS}
    by_name |= {f"plan.repair.standing.{one.key}" for one in (OPEN, STALE, TAKEN, LEFT, NOBODY)}
    by_name |= {
        f"plan.repair.{one}" for one in (*COUNTED, *(f"how.{how}" for how in ("added", "changed", "cancelled")))
    }
    stages = {key for key in there if key.startswith("plan.stage.")}
    by_name |= {f"report.standing.{one}" for one in Standing if one is not Standing.WHOLE}
    by_name |= {f"report.{how}.{one}" for how in ("why", "reason") for one in (*figure.Reason, UNSEEN)}
    by_name |= {f"report.figure.{one}" for one, _ in LESSON} | {f"report.room.{one}" for one, _ in ROOM}
    by_name |= {f"report.about.{one.about}" for one in MEASURED} | {f"report.on.{one.on}" for one in MEASURED}
    by_name |= {f"report.type.{one}" for one in ClassType} | {f"report.voice.{one}" for one in Voice}
    by_name |= {f"report.sampled.{one}" for one in EVERY}
    by_name |= {f"report.error.{kind}{tail}" for kind in ("off", "wrong", "found") for tail in ("", "_mean")}
    by_name |= {f"month.reason.{one}" for one in Reason} | {f"month.fate.{one}" for one in Fate}
    by_name |= {f"month.type.{one}" for one in ClassType} | {f"month.measure.{one}" for one in UNITS}
    by_name |= {"month.leading", "month.receiving", "month.open"}
    by_name |= {f"facts.format.{one}" for one in FORMATS} | {f"facts.what.{one}" for one in KINDS_OF_CHANGE}
    by_name |= {f"facts.setting.{name}" for _, name in SETTINGS.values()}
    by_name |= {f"month.said.{one}{tail}" for one in ("teachers", "far") for tail in ("", "_unknown")}
    stages |= {key for key in there if key.startswith("month.col.")}
    tracks = {key for key in there if key.startswith("lesson.track.")}
    alerts = {key for key in there if key.startswith("alert.kind.")}
    assert by_name <= there
    assert there - asked - by_name - tracks - alerts - stages == set()


def test_every_state_has_a_shape():
    assert set(KINDS) == set(SessionState)


@pytest.mark.parametrize(
    ("address", "headers", "language"),
    [
        ("/?lang=en", {}, "en"),
        ("/?lang=xx", {}, "zh"),
        ("/", {"cookie": "tongtang-language=en"}, "en"),
        ("/", {"accept-language": "en-GB,en;q=0.9"}, "en"),
        ("/", {"accept-language": "zh-CN,zh;q=0.9,en;q=0.8"}, "zh"),
        ("/", {"accept-language": "de"}, "zh"),
        ("/?lang=zh", {"cookie": "tongtang-language=en"}, "zh"),
    ],
)
def test_a_page_comes_in_the_language_that_was_asked_for(address: str, headers: dict, language: str):
    path, _, query = address.partition("?")
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    request = Request({"type": "http", "path": path, "query_string": query.encode(), "headers": raw})
    assert language_of(request, "zh") == language


def test_the_consoles_files_are_kept_for_ever_and_packed(hub: District):
    page = hub.http().get("/").text
    for address in re.findall(r'(?:href|src)="(/static/[^"]+)"', page):
        answer = httpx.get(hub.url + address, headers={"Accept-Encoding": "gzip"})
        assert answer.status_code == 200, address
        assert "immutable" in answer.headers["cache-control"]
        assert answer.headers["content-encoding"] == "gzip"
    assert "http" not in re.sub(r'xmlns="[^"]+"', "", page.replace(hub.url, ""))
