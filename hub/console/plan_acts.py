"""What the forms of a plan's page ask for, done at the desk."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from hub.schedule.desk.desk import Desk
from hub.schedule.desk.edits import Edit, PinAsServed, TakeOut, Unpin
from hub.schedule.desk.errors import DeskRefused
from hub.schedule.desk.views import NewApproval, NewDraft, NewPublication, NewSolve
from hub.schedule.district import District, told
from hub.schedule.errors import DistrictWrong

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True)
class Asked:
    """What the form for a new draft says."""

    term: str
    first_week: str
    last_week: str
    words: str
    based_on: str
    file: bytes
    """A district; empty for one made of the facts."""


def made(desk: Desk, asked: Asked, operator: str) -> str:
    """Make a draft; its id.

    Raises:
        ScheduleRefused: it cannot be made; the words say why.
    """
    district = None
    if asked.file:
        try:
            district = District.model_validate_json(asked.file)
        except ValidationError as error:
            raise DistrictWrong(f"the file is no district: {told(error)}") from error
    new = _fitting(
        NewDraft,
        term=asked.term,
        first_week=asked.first_week,
        last_week=asked.last_week or asked.first_week,
        words=asked.words,
        based_on=asked.based_on,
    )
    return desk.make(new.model_copy(update={"district": district}), operator).head.id


def act(desk: Desk, plan: str, what: str, form: Mapping[str, str], operator: str) -> None:
    """Do what a form asks for.

    Raises:
        ScheduleRefused: it cannot be done; the words say why.
    """
    match what:
        case "solve":
            desk.solve(plan, _fitting(NewSolve, **_filled(form, "seconds", "seed")), operator)
        case "stop":
            desk.stop(plan)
        case "propose":
            desk.propose(plan, operator)
        case "reopen":
            desk.reopen(plan, operator)
        case "publish":
            desk.publish(plan, _fitting(NewPublication, **_filled(form, "first_week", "last_week")), operator)
        case "withdraw":
            desk.withdraw(plan, operator)
        case "note" | "note-all":
            _note(desk, plan, what, form, operator)
        case _:
            desk.edit(plan, [_edit(what, form)], operator)


def _note(desk: Desk, plan: str, what: str, form: Mapping[str, str], operator: str) -> None:
    words = form.get("words", "")
    if what == "note":
        said = _fitting(NewApproval, school=form.get("school", ""), approved=form.get("say") == "yes", words=words)
        desk.note(plan, said, operator)
        return
    heard = desk.approvals(plan)
    for school in desk.open(plan).book.taking_part:
        if school not in heard:
            desk.note(plan, _fitting(NewApproval, school=school, approved=True, words=words), operator)


def _edit(what: str, form: Mapping[str, str]) -> Edit:
    request = form.get("request", "")
    match what:
        case "pin":
            return _fitting(PinAsServed, do="pin", request=request)
        case "unpin":
            return _fitting(Unpin, do="unpin", request=request)
        case "take-out":
            return _fitting(TakeOut, do="take-out", request=request)
        case _:
            raise DeskRefused(f"there is no such action: {what[:40]}")


def _filled(form: Mapping[str, str], *names: str) -> dict[str, str]:
    return {name: value for name in names if (value := form.get(name, "").strip())}


def _fitting(model: type[Model], **values: object) -> Model:
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise DeskRefused(told(error)) from error
