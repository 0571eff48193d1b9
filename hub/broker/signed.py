"""What a device said under its own signature, read and checked."""

from collections.abc import Callable
from typing import Protocol, TypeVar

from pydantic import ValidationError

from contract import topics
from contract.envelope import BadSignature, Envelope, Malformed, PublicKey, parse, verify
from hub.broker.link import Arrival
from hub.broker.reading import PAYLOAD_LIMIT, Refused


class _Said(Protocol):
    @property
    def device(self) -> str:
        """Who says it."""


M = TypeVar("M", bound=_Said)


def speaker(arrival: Arrival) -> str:
    """The device of the topic, or a topic that is not one of ours."""
    return topics.device_of(arrival.topic) or arrival.topic


def read(
    arrival: Arrival,
    key_of: Callable[[str], PublicKey | None],
    validate: Callable[[str], M],
    limit_bytes: int = PAYLOAD_LIMIT,
) -> tuple[Envelope, M]:
    """A device's envelope, and what it says in it.

    Expiry is not judged: devices may not know the time.

    Args:
        arrival: as it came off the network.
        key_of: the key with which a device signs; None where it may not speak.
        validate: makes of the body's JSON what is expected.
        limit_bytes: longest payload.

    Raises:
        Refused: it is not that, not signed by the device of the topic, or too long.
    """
    device = speaker(arrival)
    key = key_of(device)
    if key is None:
        raise Refused("unknown-device", "it is not registered, or shut out")
    if len(arrival.payload) > limit_bytes:
        raise Refused("oversized", f"{len(arrival.payload)} bytes are too many; {limit_bytes} are the most")
    try:
        envelope = parse(arrival.payload)
        verify(envelope, key, None)
        said = validate(envelope.body)
    except (Malformed, ValidationError) as error:
        raise Refused("malformed", f"not what belongs on {arrival.topic}: {type(error).__name__}") from error
    except BadSignature as error:
        raise Refused("bad-signature", str(error)) from error
    if said.device != device:
        raise Refused("spoofed", f"it speaks for {said.device}")
    return envelope, said
