"""Commands of the hub to a device, and what comes of them.

A command travels as the body of an envelope signed by the hub; nonce and expiry are the
envelope's. A device acts on each at most once, never after its expiry, and not at all
while it does not know the hub's time.
"""

import difflib
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from pydantic import Field, ValidationError

from contract.model import DeviceId, Message
from contract.settings import Settings, what_to_mend

COMMAND_LIMIT_BYTES = 16 << 10
"""Longest command, envelope and all, in bytes; a device refuses more unread."""
RESULT_LIMIT_BYTES = 64 << 10
"""Longest result, envelope and all, in bytes."""
WORDS_LIMIT = 2000


class CommandName(StrEnum):
    """What a device can be told to do."""

    PING = "ping"
    """Answer: who you are, since when, and the time as you know it."""
    HEALTH = "health"
    """Take a sample of your health now, and answer with it."""
    RESTART = "restart"
    """Start your service anew; never during a lesson. Answered by the new life."""
    IDENTIFY = "identify"
    """Show on the teacher's screen which room this is."""
    RENEW = "renew-certificate"
    """Fetch a new certificate now."""
    LOG = "log"
    """Answer with the last lines of your own log."""


class NoArguments(Settings):
    """Nothing more is said."""


class IdentifyArguments(Settings):
    """Of `identify`."""

    seconds: float = Field(20.0, ge=1, le=120, description="How long it is shown.")


class LogArguments(Settings):
    """Of `log`."""

    lines: int = Field(50, ge=1, le=200, description="How many of the last lines.")


ARGUMENTS: Mapping[CommandName, type[Settings]] = {
    CommandName.PING: NoArguments,
    CommandName.HEALTH: NoArguments,
    CommandName.RESTART: NoArguments,
    CommandName.IDENTIFY: IdentifyArguments,
    CommandName.RENEW: NoArguments,
    CommandName.LOG: LogArguments,
}
"""What may be said beside each name."""


class Outcome(StrEnum):
    """What came of a command."""

    DONE = "done"
    """It was done."""
    FAILED = "failed"
    """It was tried and did not succeed; the words say why."""
    REFUSED = "refused"
    """It was not tried; the words say why."""
    INTERRUPTED = "interrupted"
    """It was begun and cut off (power, kill); nobody knows how far it came, and it is not begun again."""


class Command(Message):
    """Hub to device: do this, once."""

    v: int = 1
    device: DeviceId
    name: str = Field(max_length=64, description="One of `CommandName`; text, so that a newer hub is understood.")
    arguments: dict[str, Any] = Field(default_factory=dict)


class Result(Message):
    """Device to hub: what came of a command; said again whenever the command comes again."""

    v: int = 1
    device: DeviceId
    ref: str = Field(min_length=8, max_length=64, description="Id of the envelope that the command came in.")
    outcome: Outcome
    words: str = Field("", max_length=WORDS_LIMIT, description="For people.")
    data: dict[str, Any] = Field(default_factory=dict, description="For programs.")
    at: float = Field(
        allow_inf_nan=False, description="When it was settled, in seconds of hub UTC as the device knew it."
    )


class CommandUnfit(Exception):
    """A command that nobody can act on: no such name, or arguments that are wrong; the message says which."""


def arguments_of(name: str, given: Mapping[str, Any]) -> Settings:
    """The arguments of command `name`, checked and with their defaults.

    Raises:
        CommandUnfit: there is no such command, or its arguments are others.
    """
    try:
        model = ARGUMENTS[CommandName(name)]
    except ValueError as error:
        near = difflib.get_close_matches(name, list(CommandName), n=1, cutoff=0.5)
        hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(CommandName)}"
        raise CommandUnfit(f"there is no command {name[:64]!r}; {hint}") from error
    try:
        return model.model_validate(dict(given))
    except ValidationError as error:
        raise CommandUnfit(f"the arguments of {name} are wrong: {'; '.join(what_to_mend(error, model))}") from error
