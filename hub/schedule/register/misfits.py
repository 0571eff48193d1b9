"""What of the facts does not fit together, in words."""

from hub.schedule.register.kinds import Kind
from hub.schedule.register.words import Words, words
from hub.schedule.slots import Slot


def gone(kind: Kind, fact: str, of: Kind, named: str) -> Words:
    """A fact names what is not there."""
    return words("fit.gone", kind=words(f"kind.{kind}"), id=fact, other=words(f"kind.{of}"), named=named)


def beyond_bells(kind: Kind, fact: str, slot: Slot, school: str, periods: int) -> Words:
    """A fact names a period that the bells of a school, which has so many, have not."""
    day, period = slot
    return words(
        "fit.period",
        kind=words(f"kind.{kind}"),
        id=fact,
        day=words(f"day.{day}"),
        period=period,
        school=school,
        periods=periods,
    )
