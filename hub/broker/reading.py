"""Rows and presences as they come off the network: read, or refused with a reason."""

from collections.abc import Mapping

from pydantic import ValidationError

from contract import topics
from contract.telemetry import DeviceState, Row
from hub.broker.link import Arrival
from hub.store.streams import Arrived, RowKind

KINDS: Mapping[str, RowKind] = {"tele": "tele", "event": "event"}
"""By the last level of the topic."""
PAYLOAD_LIMIT = 256 * 1024
"""Longest row or presence, in bytes."""
TEXT_LIMIT = 64
WORDS_LIMIT = 500


class Refused(Exception):
    """A message that cannot be used; `reason` is its short name."""

    def __init__(self, reason: str, words: str) -> None:
        super().__init__(words)
        self.reason = reason


def read_row(arrival: Arrival, device: str, kind: RowKind) -> Arrived:
    """The row in `arrival`, which came on a topic of `device`.

    Raises:
        Refused: it is not a row, or no table could hold it.
    """
    try:
        row = Row.model_validate_json(arrival.payload)
    except ValidationError as error:
        raise Refused("malformed", f"not a row: {_wrong(error)}") from error
    if not (row.kept or 1) <= row.first <= row.seq:
        raise Refused("malformed", f"row {row.id!r} has numbers that make no sense")
    return Arrived(device, kind, row, arrival.at_ns / 1e9)


def read_state(arrival: Arrival, device: str) -> DeviceState:
    """The presence in `arrival`, which came on the topic of `device`.

    Raises:
        Refused: it is on another topic, not a presence, no table could hold it, or it speaks of another device.
    """
    if arrival.topic != topics.state(device):
        raise Refused("topic", f"nothing is expected on {arrival.topic}")
    try:
        state = DeviceState.model_validate_json(arrival.payload)
    except ValidationError as error:
        raise Refused("malformed", f"not a presence: {_wrong(error)}") from error
    if state.device != device:
        raise Refused("spoofed", f"it tells the presence of {state.device}")
    names = (state.boot, state.incarnation, state.version, state.machine)
    if not all(_plain(text, TEXT_LIMIT) for text in names) or not _plain(state.why, WORDS_LIMIT):
        raise Refused("malformed", "a presence with texts that are too long or unprintable")
    return state


def _wrong(error: ValidationError) -> str:
    """The first thing that is wrong; what was said stays out, it may be of any length."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    field = ".".join(map(str, first["loc"]))
    return f"{field}: {first['msg']}" if field else first["msg"]


def _plain(text: str, limit: int) -> bool:
    """Whether every database can hold the text: PostgreSQL takes no NUL character, none takes half a surrogate."""
    return len(text) <= limit and text.isprintable()
