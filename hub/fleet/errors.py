"""Why the hub refuses a device, or one that would become one."""

from hub.errors import HubRefused


class DeviceRefused(Exception):
    """A device that cannot be registered as asked; the message says what to do."""


class DeviceUnknown(Exception):
    """There is no device of that name."""


class CommandRefused(Exception):
    """A command that cannot be sent as asked; the message says why."""


class TwinRefused(Exception):
    """A configuration that cannot be wanted of a device; the message says what to mend."""


class TwinChanged(TwinRefused):
    """Somebody else changed the twin in between."""


class AuthorityUnusable(HubRefused):
    """The hub's certificate authority is missing, damaged or not one; the message says what to do."""


class ClaimRefused(Exception):
    """A claim that cannot be made, used or confirmed; the message says why, `what_to_do` what helps.

    ClaimRefused
    ├── RequestUnfit   the certificate request, or the code as typed, is not what it must be
    ├── CodeUnknown    no such code
    ├── CodeSpent      the code is too old, was replaced, or belongs to another machine by now
    ├── ClaimUnfit     no code can be made, or confirmed, for this room as things are
    ├── ShutOut        the device was revoked, or its key was
    └── TooManyTries   too many wrong codes; `wait_s` says when to try again
    """

    def __init__(self, words: str, what_to_do: str) -> None:
        super().__init__(words)
        self.what_to_do = what_to_do


class RequestUnfit(ClaimRefused):
    """The certificate request, or the code as typed, is not what it must be."""


class CodeUnknown(ClaimRefused):
    """No such code."""


class CodeSpent(ClaimRefused):
    """The code is too old, was replaced, or belongs to another machine by now."""


class ClaimUnfit(ClaimRefused):
    """No code can be made, or confirmed, for this room as things are."""


class ShutOut(ClaimRefused):
    """The device was revoked, or its key was."""


class TooManyTries(ClaimRefused):
    """Too many wrong codes."""

    def __init__(self, wait_s: float) -> None:
        self.wait_s = max(1, round(wait_s + 0.5))
        super().__init__(
            f"too many wrong claim codes were tried; try again in {self.wait_s} s",
            "look at the code again, letter by letter, or make a new one with: tongtang hub enrol",
        )
