import pytest

from contract.enrolment import (
    ALPHABET,
    CodeUnreadable,
    Ticket,
    code_sha256,
    fingerprint,
    new_code,
    read_code,
    read_ticket,
)
from contract.keys import new_hub_key, public_pem


def test_a_code_has_twelve_signs_that_nobody_mistakes_and_is_never_made_twice():
    codes = {new_code() for _ in range(2000)}
    assert len(codes) == 2000
    assert len(ALPHABET) == 30
    assert set("".join(codes)) - {"-"} == set(ALPHABET)
    assert not set(ALPHABET) & set("01ILOU")
    assert {tuple(map(len, code.split("-"))) for code in codes} == {(4, 4, 4)}


@pytest.mark.parametrize(
    "typed", ["7K2M-QX9D-4HTV", " 7k2m qx9d 4htv\n", "7k2mqx9d4htv", "7K2M－QX9D－4HTV", "7K2M–QX9D—4HTV"]
)
def test_a_code_is_read_however_it_was_typed(typed):
    assert read_code(typed) == "7K2M-QX9D-4HTV"
    assert code_sha256(read_code(typed)) == code_sha256("7K2M-QX9D-4HTV")


@pytest.mark.parametrize(
    "typed, words", [("", "0 signs"), ("7K2M-QX9D-4HT", "11 signs"), ("7K2M-QX9D-4HT0", "'0' is in none")]
)
def test_what_is_no_code_is_refused_in_words(typed, words):
    with pytest.raises(CodeUnreadable, match=words):
        read_code(typed)


def test_a_ticket_says_all_that_a_machine_needs():
    key = new_hub_key().public_key()
    ticket = Ticket("https://hub.district.example:8443", new_code(), fingerprint(key))
    assert read_ticket(ticket.text()) == ticket
    assert fingerprint(key) == fingerprint(public_pem(key)) != fingerprint(new_hub_key().public_key())


@pytest.mark.parametrize(
    "text", ["", "https://hub/", "tongtang:enrol?hub=https://hub", "tongtang:enrol?hub=h&code=AAA&key=b"]
)
def test_what_is_no_ticket_is_refused(text):
    with pytest.raises(CodeUnreadable):
        read_ticket(text)
