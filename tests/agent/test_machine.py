"""A machine keeps its fingerprint through whatever changes about it, and a copy of its disk elsewhere does not."""

import shutil

import pytest

from agent.machine import Facts, fingerprint

HERE = Facts(system="a1", board="b1", addresses=("3c:52:82:00:00:01", "3c:52:82:00:00:02"))


@pytest.mark.parametrize(
    "later",
    [
        HERE,
        Facts(system="a1", addresses=("3c:52:82:00:00:02",)),
        Facts(system="a1"),
        Facts(system="new system", board="b1", addresses=HERE.addresses),
        Facts(system="a1", board="", addresses=("00:11:22:33:44:55", "3c:52:82:00:00:01")),
        Facts(),
    ],
    ids=["the same", "a card is slow", "nothing shows yet", "system set up anew", "a card was added", "nothing at all"],
)
def test_the_fingerprint_stays_whatever_else_changes(tmp_path, later):
    first = fingerprint(tmp_path, HERE)
    assert fingerprint(tmp_path, later) == first
    assert fingerprint(tmp_path, HERE) == first


@pytest.mark.parametrize(
    "elsewhere",
    [
        Facts(system="a1", board="b2", addresses=("3c:52:82:00:00:03",)),
        Facts(system="a1", addresses=("3c:52:82:00:00:03",)),
        Facts(system="a1", board="b2"),
        Facts(system="a1", board="b1", addresses=("3c:52:82:00:00:03",)),
        Facts(system="a1", board="b2", addresses=HERE.addresses),
    ],
    ids=["both differ", "addresses differ", "boards differ", "one serial for all boards", "a copied virtual machine"],
)
def test_a_copy_of_the_disk_in_another_machine_has_another_fingerprint(tmp_path, elsewhere):
    first = fingerprint(tmp_path / "original", HERE)
    shutil.copytree(tmp_path / "original", tmp_path / "copy")
    copied = fingerprint(tmp_path / "copy", elsewhere)
    assert copied != first
    assert fingerprint(tmp_path / "copy", elsewhere) == copied
    assert fingerprint(tmp_path / "original", HERE) == first


def test_what_showed_once_is_still_known_when_something_else_shows(tmp_path):
    first = fingerprint(tmp_path, Facts(system="a1", addresses=("3c:52:82:00:00:01",)))
    fingerprint(tmp_path, Facts(system="a1", board="b1"))
    assert fingerprint(tmp_path, Facts(system="a1", board="b1", addresses=("3c:52:82:00:00:01",))) == first
    assert fingerprint(tmp_path, Facts(system="a1", board="b2")) != first


def test_the_fingerprint_tells_nothing_of_what_it_is_made_of(tmp_path):
    made = fingerprint(tmp_path, HERE)
    assert len(made) == 16
    assert not any(fact in made for fact in ("a1b1", "3c5282"))


def test_two_machines_that_show_nothing_are_not_taken_for_one_another(tmp_path):
    assert fingerprint(tmp_path / "one", Facts()) != fingerprint(tmp_path / "two", Facts())
    assert fingerprint(tmp_path / "one", Facts()) == fingerprint(tmp_path / "one", Facts())


def test_a_damaged_file_is_made_anew_and_this_machine_keeps_its_fingerprint(tmp_path):
    first = fingerprint(tmp_path, HERE)
    (tmp_path / "machine.json").write_text("{")
    assert fingerprint(tmp_path, HERE) == first


def test_a_state_folder_that_cannot_be_written_does_not_keep_the_service_from_starting(tmp_path):
    (tmp_path / "file").write_text("")
    assert fingerprint(tmp_path / "file" / "state", HERE)
