"""What a device said under its own signature, read and checked."""

from collections.abc import Callable
from typing import TypeVar

from pydantic import ValidationError

from contract import topics
from contract.command import Result
from contract.envelope import BadSignature, Malformed, PublicKey, parse, verify
from contract.twin import Reported
from hub.broker.link import Arrival

M = TypeVar("M", Result, Reported)


class Unfit(Exception):
    """A message that cannot be used; `reason` is its short name, for `hub.broker.misfits`."""

    def __init__(self, reason: str, words: str) -> None:
        super().__init__(words)
        self.reason = reason


def speaker(arrival: Arrival) -> str:
    """The device of the topic, or the beginning of a topic that is not one of ours."""
    return topics.device_of(arrival.topic) or arrival.topic[:64]


def read(arrival: Arrival, key_of: Callable[[str], PublicKey | None], model: type[M], limit_bytes: int) -> M:
    """The body of a device's envelope.

    Expiry is not judged: what is read here answers something of ours, and comes from devices
    that may not know the time.

    Args:
        arrival: as it came off the network.
        key_of: the key with which a device signs; None where it may not speak.
        model: what is expected.
        limit_bytes: longest payload.

    Raises:
        Unfit: it is not that, not signed by the device of the topic, or too long.
    """
    device = speaker(arrival)
    key = key_of(device)
    if key is None:
        raise Unfit("unknown-device", "it is not registered, or shut out")
    if len(arrival.payload) > limit_bytes:
        raise Unfit("oversized", f"{len(arrival.payload)} bytes are too many; {limit_bytes} are the most")
    try:
        envelope = parse(arrival.payload)
        verify(envelope, key, None)
        said = model.model_validate_json(envelope.body)
    except (Malformed, ValidationError) as error:
        raise Unfit("malformed", f"not a {model.__name__.lower()}: {type(error).__name__}") from error
    except BadSignature as error:
        raise Unfit("bad-signature", str(error)) from error
    if said.device != device:
        raise Unfit("spoofed", f"it speaks for {said.device}")
    return said
