"""The page of calendars: an address and its QR code are shown once, the list never has them, an end is an end."""

import re
from collections.abc import Iterator

import httpx
import pytest

from tests.hub_api.district import District, district
from tests.hub_api.routes.test_calendars import publish


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[District]:
    with district(tmp_path_factory.mktemp("hub")) as made:
        publish(made)
        yield made


def given(hub: District, **more: str) -> httpx.Response:
    form = {"kind": "room", "who": "two-a", "words": "王老师 <手机>", **more}
    return hub.http().post("/calendars?lang=zh", data=form)


def test_an_address_is_handed_out_with_its_qr_code_and_shown_once(hub: District):
    page = given(hub).text
    (address,) = re.findall(r'value="(http[^"]+\.ics)"', page)
    assert httpx.get(address).status_code == 200
    assert "<svg" in page
    assert f'href="{address.replace("http", "webcal", 1)}"' in page
    listed = hub.http().get("/calendars?lang=zh").text
    assert "王老师 &lt;手机&gt;" in listed
    assert address.split("/")[-1].removesuffix(".ics") not in listed
    assert "<svg" not in listed.split("<main")[1]
    assert 'value="two-a"' in listed, "whom there is can be chosen"


def test_a_revoked_address_opens_nothing(hub: District):
    (address,) = re.findall(r'value="(http[^"]+\.ics)"', given(hub).text)
    name = re.findall(r'action="/calendars/(\w+)/revoke"', hub.http().get("/calendars").text)[0]
    gone = hub.http().post(f"/calendars/{name}/revoke")
    assert (gone.status_code, gone.headers["location"]) == (303, "/calendars")
    assert httpx.get(address).status_code == 410
    assert "已作废" in hub.http().get("/calendars?lang=zh").text
    again = hub.http().post(f"/calendars/{'0' * 16}/revoke?lang=zh")
    assert (again.status_code, "没有这个订阅地址" in again.text) == (404, True)


def test_whom_nobody_knows_is_told_and_what_was_typed_stays(hub: District):
    answer = given(hub, who="two-<z>")
    assert answer.status_code == 404
    assert "没有 two-&lt;z&gt;" in answer.text
    assert 'value="two-&lt;z&gt;"' in answer.text
    assert "王老师 &lt;手机&gt;" in answer.text


def test_what_a_recorder_said_last_stands_beside_its_address(hub: District):
    (token,) = re.findall(r"/calendars/(tc-[^\"]+)\.ics", given(hub).text)[:1]
    with httpx.Client(base_url=hub.url, auth=("any", token)) as recorder:
        for state, words in (("capturing", "录播机正在录制"), ("warming_up", "录播机warming_up")):
            assert recorder.post("/capture-admin/agents/two-a", data={"state": state}).status_code == 200
            assert words in hub.http().get("/calendars?lang=zh").text


def test_the_page_of_plans_leads_to_it(hub: District):
    assert 'href="/calendars"' in hub.http().get("/plan").text
