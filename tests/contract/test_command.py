import pytest

from contract.command import ARGUMENTS, CommandName, CommandUnfit, arguments_of


def test_every_command_says_what_may_be_said_beside_its_name():
    assert set(ARGUMENTS) == set(CommandName)


def test_what_is_left_out_has_its_default():
    assert arguments_of("identify", {}).seconds == 20
    assert arguments_of("log", {"lines": 7}).lines == 7


@pytest.mark.parametrize(
    ("name", "given", "words"),
    [
        ("rstart", {}, "did you mean restart"),
        ("format-disk", {}, "there are: ping"),
        ("identify", {"second": 3}, "did you mean seconds"),
        ("identify", {"seconds": 1e9}, "seconds"),
        ("identify", {"seconds": float("nan")}, "seconds"),
        ("log", {"lines": "many"}, "lines"),
        ("ping", {"loudly": True}, "loudly"),
    ],
)
def test_what_nobody_could_act_on_is_refused_in_words(name, given, words):
    with pytest.raises(CommandUnfit, match=words):
        arguments_of(name, given)
