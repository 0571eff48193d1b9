"""What an operator changes in a draft by hand; pure."""

from collections.abc import Iterable
from typing import Annotated, Literal, Protocol, TypeVar

from pydantic import Field, ValidationError

from hub.schedule.desk.errors import EditRefused
from hub.schedule.district import District, Goals, told
from hub.schedule.plan import Plan
from hub.schedule.slots import Id, Part
from hub.schedule.wants import Ban, Pin, Wish


class PinAsServed(Part):
    """Keep a served request as it is: by this lesson, at this time, in this room."""

    do: Literal["pin"]
    request: Id


class PinTo(Part):
    """Have a request served so, whether it is now or not; in place of how it is pinned."""

    do: Literal["pin-to"]
    pin: Pin


class Unpin(Part):
    """Leave it to the planner again."""

    do: Literal["unpin"]
    request: Id


class AddBan(Part):
    """What must not be."""

    do: Literal["ban"]
    ban: Ban


class DropBan(Part):
    """It may be, after all."""

    do: Literal["unban"]
    ban: Ban


class AddWish(Part):
    """A preference more."""

    do: Literal["wish"]
    wish: Wish


class TakeOut(Part):
    """Take a request out of this draft, and whatever is pinned, banned or wished for it; the facts keep it."""

    do: Literal["take-out"]
    request: Id


class Weigh(Part):
    """Say how much it counts that a request is served."""

    do: Literal["weigh"]
    request: Id
    weight: int = Field(ge=1, le=100)


class SetGoals(Part):
    """Say what is wished for, in points."""

    do: Literal["goals"]
    goals: Goals


Edit = Annotated[
    PinAsServed | PinTo | Unpin | AddBan | DropBan | AddWish | TakeOut | Weigh | SetGoals, Field(discriminator="do")
]
"""One change of a draft."""


def edited(district: District, plan: Plan | None, edit: Edit) -> District:
    """The district after an edit.

    Args:
        district: as it was planned.
        plan: the draft's plan so far.
        edit: what changes.

    Raises:
        EditRefused: it names what is not there, or contradicts it.
    """
    changed = _changed(district, plan, edit)
    try:
        return District.model_validate(changed)
    except ValidationError as error:
        raise EditRefused(f"this cannot be: {told(error)}") from error


def narrows(before: District, after: District, edit: Edit) -> bool:
    """Whether no plan can be worth more after an edit than before, so that a bound still holds.

    A pin narrows only where it takes no other pin's place, and is at one of the request's own times: a request may be
    served at the time of its pin also where that is none of them.
    """
    if isinstance(edit, AddBan):
        return True
    if not isinstance(edit, PinAsServed | PinTo):
        return False
    request = edit.request if isinstance(edit, PinAsServed) else edit.pin.request
    was = next((pin for pin in before.pins if pin.request == request), None)
    pin = next(pin for pin in after.pins if pin.request == request)
    asked = next(one for one in before.requests if one.id == request)
    return was in {None, pin} and (pin.time is None or pin.time in asked.times)


def pared(district: District, plan: Plan) -> Plan:
    """A plan without the requests that a district has no more, and without lessons that nobody follows for it."""
    requests = {one.id for one in district.requests}
    gone = [one for one in plan.served if one.request not in requests]
    if not gone:
        return plan
    served = tuple(one for one in plan.served if one.request in requests)
    left = {one.lesson for one in gone} - {one.lesson for one in served}
    return plan.model_copy(update={"served": served, "held": tuple(one for one in plan.held if one.lesson not in left)})


def _changed(district: District, plan: Plan | None, edit: Edit) -> dict[str, object]:
    parts: dict[str, object] = {name: getattr(district, name) for name in District.model_fields}
    match edit:
        case PinAsServed() | PinTo() | Unpin():
            parts["pins"] = _pinned(district, plan, edit)
        case AddBan() | DropBan():
            parts["bans"] = _banned(district, edit)
        case AddWish():
            parts["wishes"] = (*district.wishes, edit.wish)
        case TakeOut():
            _asked(district, edit.request)
            parts["requests"] = tuple(one for one in district.requests if one.id != edit.request)
            for name, listed in (("pins", district.pins), ("bans", district.bans), ("wishes", district.wishes)):
                parts[name] = _without(listed, edit.request)
        case Weigh():
            _asked(district, edit.request)
            parts["requests"] = tuple(
                one.model_copy(update={"weight": edit.weight}) if one.id == edit.request else one
                for one in district.requests
            )
        case SetGoals():
            parts["goals"] = edit.goals
    return parts


def _pinned(district: District, plan: Plan | None, edit: PinAsServed | PinTo | Unpin) -> tuple[Pin, ...]:
    if isinstance(edit, PinAsServed):
        return (*_without(district.pins, edit.request), _as_served(plan, edit.request))
    if isinstance(edit, PinTo):
        return (*_without(district.pins, edit.pin.request), edit.pin)
    if all(one.request != edit.request for one in district.pins):
        raise EditRefused(f"request {edit.request} is not pinned")
    return _without(district.pins, edit.request)


def _banned(district: District, edit: AddBan | DropBan) -> tuple[Ban, ...]:
    if isinstance(edit, AddBan):
        return district.bans if edit.ban in district.bans else (*district.bans, edit.ban)
    if edit.ban not in district.bans:
        raise EditRefused("this draft has no such ban")
    return tuple(one for one in district.bans if one != edit.ban)


class _OfRequest(Protocol):
    @property
    def request(self) -> str | None: ...


Named = TypeVar("Named", bound=_OfRequest)


def _without(listed: Iterable[Named], request: str) -> tuple[Named, ...]:
    return tuple(one for one in listed if one.request != request)


def _asked(district: District, request: str) -> None:
    if all(one.id != request for one in district.requests):
        raise EditRefused(f"this draft has no request {request}")


def _as_served(plan: Plan | None, request: str) -> Pin:
    for one in plan.served if plan is not None else ():
        if one.request == request:
            room = one.room if one.room_even is None else None  # a pin names one room for every week
            return Pin(request=request, lesson=one.lesson, time=one.time, room=room)
    raise EditRefused(f"request {request} is not served in this draft; only what is served can be kept as it is")
