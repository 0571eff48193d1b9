import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.envelope import LEEWAY_S, BadSignature, Envelope, Expired, Malformed, Seen, parse, sign, verify
from contract.keys import (
    KeyUnusable,
    load_private,
    load_public,
    new_device_key,
    new_hub_key,
    public_pem,
    save_private,
)
from contract.signal import Clock

BODY = Clock(device="room-1", t1_ns=7)


@pytest.mark.parametrize("make", [new_hub_key, new_device_key])
def test_what_was_signed_is_believed_after_the_journey(make):
    key = make()
    arrived = parse(sign(BODY, key, 1000.0, 10).to_json())
    verify(arrived, load_public(public_pem(key)), 1005.0)
    assert Clock.model_validate_json(arrived.body) == BODY


@given(st.sampled_from(["id", "issued", "expires", "nonce", "body"]), st.integers(1, 9))
def test_whatever_is_changed_on_the_way_is_noticed(field, change):
    key = new_hub_key()
    envelope = sign(BODY, key, 1000.0, 10)
    value = getattr(envelope, field)
    changed = value + change if isinstance(value, float) else value + str(change)
    with pytest.raises(BadSignature):
        verify(envelope.model_copy(update={field: changed}), key.public_key(), 1005.0)


def test_another_key_is_not_believed():
    envelope = sign(BODY, new_device_key(), 1000.0, 10)
    for other in (new_device_key(), new_hub_key()):
        with pytest.raises(BadSignature):
            verify(envelope, other.public_key(), 1005.0)


def test_an_old_envelope_is_refused_unless_the_reader_does_not_know_the_time():
    key = new_hub_key()
    envelope = sign(BODY, key, 1000.0, 10)
    verify(envelope, key.public_key(), 1010.0 + LEEWAY_S)
    with pytest.raises(Expired, match="expired"):
        verify(envelope, key.public_key(), 1010.1 + LEEWAY_S)
    verify(envelope, key.public_key(), None)


@given(st.binary(max_size=300))
def test_garbage_is_told_apart_from_an_envelope(data):
    with pytest.raises(Malformed):
        parse(data)


def test_a_signature_that_is_no_base64_is_refused():
    key = new_hub_key()
    with pytest.raises(BadSignature):
        verify(sign(BODY, key, 1000.0, 10).model_copy(update={"signature": "***"}), key.public_key(), None)


def test_a_nonce_counts_once_and_old_ones_are_forgotten_in_order():
    seen = Seen(kept=3)
    assert [seen.first_time(nonce) for nonce in "abcab"] == [True, True, True, False, False]
    assert seen.first_time("d")
    assert seen.first_time("c"), "c was the one not heard of for longest"


def test_an_envelope_carries_exactly_the_six_fields_of_the_design():
    assert list(Envelope.model_fields) == ["id", "issued", "expires", "nonce", "body", "signature"]


def test_a_private_key_is_for_its_owner_alone_and_never_overwritten(tmp_path):
    path = tmp_path / "key.pem"
    key = new_device_key()
    save_private(key, path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert public_pem(load_private(path)) == public_pem(key)
    with pytest.raises(FileExistsError):
        save_private(new_device_key(), path)


@pytest.mark.parametrize(
    "content", [None, b"", b"not a key", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"]
)
def test_a_key_file_that_is_missing_or_damaged_is_told_in_words(tmp_path, content):
    path = tmp_path / "key.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(KeyUnusable, match=r"key\.pem"):
        load_private(path)
