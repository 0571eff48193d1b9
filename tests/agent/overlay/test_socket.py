import asyncio
import json
import stat
import sys

import pytest

from agent.overlay.marks import MarkAnswer
from agent.overlay.socket import OverlayServer
from agent.overlay.state import OverlayState, PeerState
from agent.platform import open_local


@pytest.fixture
async def server(tmp_path):
    one = OverlayServer(tmp_path / "overlay.sock", tmp_path / "overlay.token")
    await one.start()
    yield one
    await one.stop()


async def _screen(tmp_path, token: str | None = None):
    reader, writer = await open_local(tmp_path / "overlay.sock")
    shown = (tmp_path / "overlay.token").read_text().strip() if token is None else token
    writer.write(f"{shown}\n".encode())
    return reader, writer


async def _line(reader) -> dict:
    async with asyncio.timeout(5):
        return json.loads(await reader.readline())


async def test_a_screen_gets_the_whole_state_at_once_and_after_each_change(server, tmp_path):
    server.update(OverlayState(session="s-0001", state="ready", words_zh="准备好了", words_en="Ready"))
    reader, writer = await _screen(tmp_path)
    assert (await _line(reader))["words_zh"] == "准备好了"
    peer = PeerState(room="receiving-1", state="live", connected=True)
    server.update(OverlayState(session="s-0001", state="live", recording=True, hub="connected", peers=(peer,)))
    after = await _line(reader)
    assert (after["recording"], after["hub"], after["peers"][0]["room"]) == (True, "connected", "receiving-1")
    writer.close()


async def test_a_wrong_token_hears_nothing(server, tmp_path):
    for token in ("wrong", "", "x" * 5000):
        reader, writer = await _screen(tmp_path, token)
        async with asyncio.timeout(5):
            assert await reader.read() == b""
        writer.close()
    assert server.clients == 0


async def test_only_this_account_can_open_socket_and_token(server, tmp_path):
    if sys.platform == "win32":
        pytest.skip("Windows has no file modes; the socket is a port on 127.0.0.1 there")
    for name in ("overlay.sock", "overlay.token"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600


async def test_a_screen_that_does_not_read_is_dropped_and_the_others_go_on(server, tmp_path):
    slow, slow_writer = await _screen(tmp_path)
    await _line(slow)
    slow_writer.transport.pause_reading()
    good, good_writer = await _screen(tmp_path)
    await _line(good)
    words = "字" * 20_000
    seen = 0
    for number in range(200):
        server.update(OverlayState(words_zh=words, words_en=str(number)))
        seen = int((await _line_of(good))["words_en"])
        if server.clients == 1:
            break
    assert server.clients == 1
    assert seen > 0
    slow_writer.close()
    good_writer.close()


async def _line_of(reader) -> dict:
    async with asyncio.timeout(5):
        return json.loads(await _long_line(reader))


async def _long_line(reader) -> bytes:
    gathered = b""
    while not gathered.endswith(b"\n"):
        gathered += await reader.read(1 << 16)
    return gathered


async def test_a_path_too_long_for_a_socket_works_all_the_same(tmp_path):
    folder = tmp_path / ("long" * 30)
    folder.mkdir()
    server = OverlayServer(folder / "overlay.sock", folder / "overlay.token")
    await server.start()
    reader, writer = await _screen(folder)
    assert (await _line(reader))["hub"] == "away"
    writer.close()
    await server.stop()


@pytest.fixture
async def marking(tmp_path):
    titles: list[str] = []
    one = OverlayServer(tmp_path / "overlay.sock", tmp_path / "overlay.token", lambda title: _set(titles, title))
    await one.start()
    yield one, titles
    await one.stop()


def _set(titles: list[str], title: str) -> MarkAnswer:
    titles.append(title)
    return MarkAnswer.TAKEN


async def _answers(reader, count: int) -> list[str]:
    found: list[str] = []
    async with asyncio.timeout(30):
        while len(found) < count:
            told = json.loads(await reader.readline())
            if "answer" in told:
                found.append(told["answer"])
    return found


async def test_a_line_of_a_screen_sets_a_mark_and_is_answered_beside_the_state(marking, tmp_path):
    _, titles = marking
    reader, writer = await _screen(tmp_path)
    writer.write('{"mark": "  二次函数\u3000图像 "}\n\n{"mark": ""}\n'.encode())
    assert await _answers(reader, 2) == ["taken", "taken"]
    assert titles == ["二次函数\u3000图像", ""]
    writer.close()


@pytest.mark.parametrize(
    "bad",
    [
        b"mark",
        b"{}",
        b'{"mark": 7}',
        b'{"mark": null}',
        b'"mark"',
        b'{"mark": "' + b"x" * 81 + b'"}',
        b'{"mark": "a\\nb"}',
        b'{"mark": "\\u202e"}',
        b'{"mark": "\xff"}',
        b"[" * 4000,
        b'{"mark": "' + b"x" * 100_000 + b'"}',
    ],
)
async def test_a_line_that_is_no_mark_is_answered_so_and_the_state_goes_on(marking, tmp_path, bad):
    server, titles = marking
    reader, writer = await _screen(tmp_path)
    writer.write(bad + b"\n")
    assert await _answers(reader, 1) == ["bad"]
    server.update(OverlayState(state="live"))
    while (await _line(reader))["state"] != "live":
        pass
    writer.write(b'{"mark": "good"}\n')
    assert await _answers(reader, 1) == ["taken"]
    assert titles == ["good"]
    writer.close()


async def test_a_screen_that_sends_without_end_is_read_slowly_and_the_others_are_served(marking, tmp_path):
    server, titles = marking
    noisy, noisy_writer = await _screen(tmp_path)
    noisy_writer.write(b'{"mark": ""}\n' * 20_000)
    noisy_writer.write(b"x" * 100_000)
    await _answers(noisy, 4)
    good, good_writer = await _screen(tmp_path)
    await _line(good)
    server.update(OverlayState(words_en="news"))
    assert (await _line(good))["words_en"] == "news"
    assert len(titles) < 100
    assert server.clients == 2
    noisy_writer.transport.abort()
    good_writer.close()


async def test_nothing_is_marked_by_who_does_not_know_the_token(marking, tmp_path):
    _, titles = marking
    reader, writer = await _screen(tmp_path, "wrong")
    writer.write(b'{"mark": "x"}\n')
    async with asyncio.timeout(5):
        assert await reader.read() == b""
    assert titles == []
