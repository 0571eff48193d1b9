"""What the hub says to this device in a signed envelope."""

from collections.abc import Callable
from typing import Protocol, TypeVar

from pydantic import ValidationError

from contract.envelope import Envelope, Malformed


class _Said(Protocol):
    @property
    def device(self) -> str:
        """Whom it is for."""


M = TypeVar("M", bound=_Said)


def said_to(device: str, envelope: Envelope, validate: Callable[[str], M], what: str) -> M:
    """What is said in an envelope, whose signature has been checked.

    Args:
        device: identifier of this device.
        envelope: what came.
        validate: makes of the body's JSON what is expected.
        what: that is, for people.

    Raises:
        Malformed: it holds nothing of the kind, or it is meant for another device.
    """
    try:
        said = validate(envelope.body)
    except ValidationError as error:
        raise Malformed(f"envelope {envelope.id} holds no {what}") from error
    if said.device != device:
        raise Malformed(f"envelope {envelope.id} is meant for {said.device}")
    return said
