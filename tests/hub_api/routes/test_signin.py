from pathlib import Path

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from hub.api.signin import COOKIE, TRIES, HubSignIns, Tries
from hub.console.pages import local_path
from hub.store.operators import token_hash
from tests.hub_api.district import District, answering, make


def sign_in(hub: District, token: str, **fields: str) -> httpx.Response:
    return httpx.post(hub.url + "/login", data={"token": token} | fields, headers={"Origin": hub.url})


def cookie_of(hub: District) -> dict[str, str]:
    return {COOKIE: sign_in(hub, hub.token).cookies[COOKIE]}


def test_the_right_token_opens_the_console_by_a_cookie_that_scripts_cannot_read(hub: District):
    answer = sign_in(hub, hub.token)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    told = answer.headers["set-cookie"].lower()
    assert "httponly" in told
    assert "samesite=strict" in told
    assert httpx.get(hub.url + "/", cookies=cookie_of(hub)).status_code == 200


def test_a_browser_without_a_cookie_is_led_to_the_sign_in_and_back(hub: District):
    answer = httpx.get(hub.url + "/lessons/s-2026-abcd", headers={"Accept": "text/html"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=/lessons/s-2026-abcd")
    assert sign_in(hub, hub.token, next="/lessons/s-2026-abcd").headers["location"] == "/lessons/s-2026-abcd"


@pytest.mark.parametrize("wanted", ["https://elsewhere.example", "//elsewhere.example", "/\\elsewhere", "", "/a\nb"])
def test_a_sign_in_never_leads_to_another_site(wanted: str):
    assert local_path(wanted) == "/"


def test_a_wrong_token_is_told_in_words_and_after_ten_the_address_must_wait(hub: District):
    assert "口令不对" in sign_in(hub, "tt-wrong").text
    for _ in range(TRIES - 1):
        sign_in(hub, "tt-wrong")
    answer = sign_in(hub, hub.token)
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 200


def test_the_wait_after_wrong_tokens_ends():
    now = [0.0]
    tries = Tries(lambda: now[0])
    for _ in range(TRIES):
        tries.wrong("10.0.0.9")
    assert tries.wait_s("10.0.0.9") > 0
    assert tries.wait_s("10.0.0.8") == 0
    now[0] = 301.0
    assert tries.wait_s("10.0.0.9") == 0


def test_a_page_of_another_site_cannot_act_through_the_cookie(hub: District):
    session = hub.session()
    for headers in ({"Origin": "https://elsewhere.example"}, {}, {"Origin": "null"}):
        answer = httpx.post(f"{hub.url}/api/v1/sessions/{session}/cancel", cookies=cookie_of(hub), headers=headers)
        assert answer.status_code == 403
    own = httpx.post(f"{hub.url}/api/v1/sessions/{session}/cancel", cookies=cookie_of(hub), headers={"Origin": hub.url})
    assert own.json()["state"] == "cancelled"


def test_a_page_of_another_site_cannot_listen_through_the_cookie(hub: District):
    there = hub.url.replace("http", "ws") + "/api/v1/live"
    cookie = "; ".join(f"{name}={value}" for name, value in cookie_of(hub).items())
    with connect(there, additional_headers={"Cookie": cookie}, origin=hub.url) as socket:
        assert "devices" in socket.recv(5)
    with pytest.raises(InvalidStatus):
        connect(there, additional_headers={"Cookie": cookie}, origin="https://elsewhere.example")
    with pytest.raises(InvalidStatus):
        connect(there, additional_headers={"Cookie": cookie})


def test_a_cookie_outlives_a_restart_but_not_a_new_token(tmp_path: Path):
    (tmp_path / "hub").mkdir()
    first = make(tmp_path / "hub")
    with answering(first):
        cookie = cookie_of(first)
    second = make(tmp_path / "hub")  # mints a new token for the operator
    known = {"operator": token_hash(first.token)}
    restarted = HubSignIns(lambda: known, second.parts.devices.key, second.parts.key, second.parts.clock.now)
    assert restarted.caller(None, cookie).name == "operator"
    with answering(second):
        assert httpx.get(second.url + "/", cookies=cookie).status_code == 401


def test_a_changed_or_old_cookie_is_worth_nothing(hub: District):
    now = [1000.0]
    signs = HubSignIns(lambda: {"operator": token_hash("t")}, hub.parts.devices.key, hub.parts.key, lambda: now[0])
    cookie = signs.cookie("operator")
    assert signs.caller(None, {COOKIE: cookie}).by_cookie
    for wrong in (cookie[:-1], cookie[1:], cookie.replace(".", ""), "é.é", "."):
        assert signs.caller(None, {COOKIE: wrong}) is None
    now[0] += 13 * 3600
    assert signs.caller(None, {COOKIE: cookie}) is None
