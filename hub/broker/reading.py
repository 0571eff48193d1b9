"""Rows and presences as they come off the network: read, or refused with a reason."""

import math
from collections.abc import Mapping

from pydantic import ValidationError

from contract.telemetry import DeviceState, Row
from hub.broker.link import Arrival
from hub.store.streams import Arrived, RowKind

KINDS: Mapping[str, RowKind] = {"tele": "tele", "event": "event"}
"""By the last level of the topic."""
PAYLOAD_LIMIT = 256 * 1024
"""Longest row or presence, in bytes."""
TEXT_LIMIT = 64
WORDS_LIMIT = 500
NUMBER_LIMIT = 2**63


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
        raise Refused("malformed", f"not a row: {error.error_count()} fields are wrong") from error
    in_order = (row.kept or 1) <= row.first <= row.seq
    if not in_order or max(row.seq, abs(row.mono_ns)) >= NUMBER_LIMIT or not math.isfinite(row.wall):
        raise Refused("malformed", f"row {row.id[:TEXT_LIMIT]!r} has numbers that make no sense")
    names = (row.stream, row.id, row.kind, row.boot)
    if max(map(len, names)) > TEXT_LIMIT or not "".join(names).isprintable():
        raise Refused("malformed", f"row {row.seq} has a name longer than {TEXT_LIMIT} or unprintable")
    if not (row.stream and row.id):
        raise Refused("malformed", f"row {row.seq} has an empty name")
    return Arrived(device, kind, row, arrival.at_ns / 1e9)


def read_state(arrival: Arrival, device: str) -> DeviceState:
    """The presence in `arrival`, which came on the topic of `device`.

    Raises:
        Refused: it is not a presence, no table could hold it, or it speaks of another device.
    """
    try:
        state = DeviceState.model_validate_json(arrival.payload)
    except ValidationError as error:
        raise Refused("malformed", f"not a presence: {error.error_count()} fields are wrong") from error
    if state.device != device:
        raise Refused("spoofed", f"it tells the presence of {state.device}")
    names = (state.boot, state.incarnation, state.version, state.machine)
    if not all(_plain(text, TEXT_LIMIT) for text in names) or not _plain(state.why, WORDS_LIMIT):
        raise Refused("malformed", "a presence with texts that are too long or unprintable")
    return state


def _plain(text: str, limit: int) -> bool:
    """Whether every database can hold the text: PostgreSQL takes no NUL character, none takes half a surrogate."""
    return len(text) <= limit and text.isprintable()
