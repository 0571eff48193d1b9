"""What was begun is known after any kill, and nothing grows for ever."""

import pytest

from agent.report import journal as journals
from agent.report.journal import Begun, Journal, JournalUnusable
from contract.command import Outcome, Result


def begun(number: int, expires: float = 100.0) -> Begun:
    return Begun(nonce=f"nonce-{number}", ref=f"reference-{number}", name="ping", expires=expires)


def result(number: int, at: float = 10.0) -> Result:
    return Result(device="d-1", ref=f"reference-{number}", outcome=Outcome.DONE, words="好", data={"n": number}, at=at)


def test_what_was_begun_and_what_came_of_it_is_known_to_the_next_life(tmp_path):
    path = tmp_path / "state" / "commands.jsonl"
    one = Journal(path)
    one.begin(begun(1), 0.0)
    one.finish("nonce-1", result(1))
    one.begin(begun(2), 0.0)
    two = Journal(path)
    assert two.knows("nonce-1")
    assert two.result("nonce-1") == result(1)
    assert two.cut_off() == [begun(2)]
    assert not two.knows("nonce-3")


@pytest.mark.parametrize("kept", range(1, 12, 2))
def test_a_line_torn_by_a_power_cut_spoils_no_other(tmp_path, kept):
    path = tmp_path / "commands.jsonl"
    one = Journal(path)
    one.begin(begun(1), 0.0)
    whole = path.read_bytes()
    one.begin(begun(2), 0.0)
    path.write_bytes(path.read_bytes()[: len(whole) + kept])
    two = Journal(path)
    assert two.knows("nonce-1")
    assert not two.knows("nonce-2")
    two.begin(begun(3), 0.0)
    assert [one.nonce for one in Journal(path).cut_off()] == ["nonce-1", "nonce-3"]


def test_only_what_has_expired_is_forgotten_and_only_where_there_is_much(tmp_path, monkeypatch):
    monkeypatch.setattr(journals, "KEPT", 10)
    monkeypatch.setattr(journals, "KEPT_MAX", 20)
    one = Journal(tmp_path / "commands.jsonl")
    for number in range(20):
        one.begin(begun(number, expires=100.0 + number), 0.0)
        one.finish(f"nonce-{number}", result(number))
    with pytest.raises(JournalUnusable, match="which is the most"):
        one.begin(begun(20), 0.0)
    one.begin(begun(21, expires=300.0), 105.5)
    assert not one.knows("nonce-0")
    assert not one.knows("nonce-5")
    assert one.knows("nonce-6"), "it has not expired, so it could be sent again"


def test_the_file_is_written_anew_before_it_grows_without_end(tmp_path, monkeypatch):
    monkeypatch.setattr(journals, "KEPT", 4)
    monkeypatch.setattr(journals, "LINES_MAX", 20)
    path = tmp_path / "commands.jsonl"
    one = Journal(path)
    for number in range(200):
        one.begin(begun(number, expires=float(number)), float(number) + 1)
        one.finish(f"nonce-{number}", result(number))
    assert len(path.read_text().split()) < 40
    assert Journal(path).result("nonce-199") == result(199)


def test_nothing_can_be_begun_where_it_cannot_be_written_down(tmp_path):
    one = Journal(tmp_path / "state" / "commands.jsonl")
    (tmp_path / "state").write_text("a file where the folder should be")
    with pytest.raises(JournalUnusable, match="cannot be written"):
        one.begin(begun(1), 0.0)
    assert not one.knows("nonce-1")


def test_a_journal_that_cannot_be_read_is_told_in_words(tmp_path):
    (tmp_path / "commands.jsonl").mkdir()
    with pytest.raises(JournalUnusable, match="cannot be read"):
        Journal(tmp_path / "commands.jsonl")


def test_recent_results_are_those_since_then(tmp_path):
    one = Journal(tmp_path / "commands.jsonl")
    for number in range(4):
        one.begin(begun(number), 0.0)
        one.finish(f"nonce-{number}", result(number, at=float(number)))
    assert [one.data["n"] for one in one.results(2.0)] == [2, 3]
