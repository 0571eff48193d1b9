"""A mark set from the command line of the same machine, and what a person reads where it cannot be."""

import asyncio
import os
from pathlib import Path

import pytest

from agent.overlay import client
from agent.overlay.client import OverlayRefused, set_mark
from agent.overlay.marks import MarkAnswer
from agent.overlay.socket import CLIENTS_MAX, OverlayServer
from agent.overlay.state import OverlayState
from agent.platform import open_local, serve_local


class Marks:
    def __init__(self, answer: MarkAnswer) -> None:
        self.answer = answer
        self.titles: list[str] = []

    def take(self, title: str) -> MarkAnswer:
        self.titles.append(title)
        return self.answer


def where(folder: Path) -> tuple[Path, Path]:
    return folder / "overlay.sock", folder / "overlay.token"


@pytest.mark.parametrize("answer", [MarkAnswer.TAKEN, MarkAnswer.NO_LESSON, MarkAnswer.SOON])
async def test_the_agents_answer_is_told(tmp_path, answer):
    marks = Marks(answer)
    server = OverlayServer(*where(tmp_path), marks.take)
    await server.start()
    server.update(OverlayState(words_zh="字" * 100_000))
    assert (await set_mark(*where(tmp_path), "勾股定理")).answer is answer
    assert marks.titles == ["勾股定理"]
    await server.stop()


async def test_where_no_agent_runs_a_person_is_told_so(tmp_path):
    with pytest.raises(OverlayRefused, match="is it running"):
        await set_mark(*where(tmp_path), "")
    (tmp_path / "overlay.token").write_text("left behind")
    with pytest.raises(OverlayRefused, match="is it running"):
        await set_mark(*where(tmp_path), "")
    (tmp_path / "overlay.sock").write_text("127.0.0.1:nonsense")
    with pytest.raises(OverlayRefused, match="is it running"):
        await set_mark(*where(tmp_path), "")


async def test_another_account_is_told_which_to_use(tmp_path):
    if os.name != "posix" or os.geteuid() == 0:
        pytest.skip("an account that may read everything is refused nothing")
    server = OverlayServer(*where(tmp_path))
    await server.start()
    (tmp_path / "overlay.token").chmod(0)
    with pytest.raises(OverlayRefused, match="sudo -u tongtang"):
        await set_mark(*where(tmp_path), "")
    await server.stop()


async def test_what_may_not_be_read_is_told_as_another_accounts(tmp_path, monkeypatch):
    def refused(_path: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(tmp_path / "overlay.token"))

    monkeypatch.setattr(Path, "read_bytes", refused)
    with pytest.raises(OverlayRefused, match=r"overlay\.token: it belongs to another account"):
        await set_mark(*where(tmp_path), "")


async def test_a_token_of_before_is_told(tmp_path):
    server = OverlayServer(*where(tmp_path))
    await server.start()
    (tmp_path / "overlay.token").write_text("old\n")
    with pytest.raises(OverlayRefused, match="token is another by now"):
        await set_mark(*where(tmp_path), "")
    await server.stop()


async def test_as_many_screens_as_are_served_are_told(tmp_path):
    server = OverlayServer(*where(tmp_path))
    await server.start()
    screens = [await open_local(tmp_path / "overlay.sock") for _ in range(CLIENTS_MAX)]
    for reader, writer in screens:
        writer.write((tmp_path / "overlay.token").read_bytes())
        await reader.readline()
    with pytest.raises(OverlayRefused, match="as many screens"):
        await set_mark(*where(tmp_path), "")
    for _, writer in screens:
        writer.close()
    await server.stop()


async def test_an_agent_that_knows_no_marks_is_not_waited_for_for_ever(tmp_path, monkeypatch):
    monkeypatch.setattr(client, "ANSWER_S", 0.2)

    async def older(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(OverlayState().model_dump_json().encode() + b"\n")
        while await reader.read(4096):
            pass
        writer.close()

    server = await serve_local(older, tmp_path / "overlay.sock")
    (tmp_path / "overlay.token").write_text("token\n")
    with pytest.raises(OverlayRefused, match="does not answer"):
        await set_mark(*where(tmp_path), "")
    server.close()
    await server.wait_closed()
