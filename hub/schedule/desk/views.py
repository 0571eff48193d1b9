"""What is asked of the desk and what it shows: the shapes of the HTTP API and the console."""

from pydantic import BaseModel, ConfigDict, Field

from hub.schedule.desk.drafts import Remark
from hub.schedule.desk.job import Told
from hub.schedule.desk.solving import SolveState, Solving
from hub.schedule.desk.states import PlanState
from hub.schedule.district import District, Goals
from hub.schedule.plan import Plan, Score
from hub.schedule.slots import Id
from hub.schedule.words import Words
from hub.store.plans import Approval, PlanHead


class View(BaseModel):
    """Base of what is asked and shown."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class NewDraft(View):
    """A draft to be made."""

    term: Id
    first_week: int = Field(ge=1, le=60, description="First teaching week that it is for.")
    last_week: int = Field(ge=1, le=60, description="Last one; the facts are taken as they are in the first.")
    words: str = Field("", max_length=200, description="What people are to call it.")
    based_on: str = Field("", max_length=64, description="Plan so far; keeping to it is worth points (`goals.kept`).")
    district: District | None = Field(None, description="What is planned, as a file; none: what the facts say.")
    plan: Plan | None = Field(None, description="A plan to begin with; refused where it breaks a rule.")


class SchoolSaid(View):
    """What one school, or the district, said of a plan."""

    school: str = Field(description="Id; empty for the district.")
    name: str = Field(description="Empty for the district.")
    approved: bool | None = Field(description="None while it has said nothing.")
    words: str = Field("", description="Who said so, and what.")
    operator: str = Field("", description="Who wrote it down.")
    at: float | None = Field(None, description="In seconds of hub UTC.")

    @classmethod
    def of(cls, school: str, name: str, said: Approval | None) -> "SchoolSaid":
        """What is known of a school."""
        if said is None:
            return cls(school=school, name=name, approved=None)
        return cls(
            school=school, name=name, approved=said.approved, words=said.words, operator=said.operator, at=said.at
        )


class SolvingView(View):
    """How far the solving of a draft has come, or how it ended."""

    state: SolveState
    began: float = Field(description="In seconds of hub UTC.")
    seconds: float | None = Field(description="How long it may search; null where its work is counted in moves.")
    words: str = Field("", description="Why it failed.")
    told: Told | None = Field(None, description="What it said last.")

    @classmethod
    def of(cls, solving: Solving) -> "SolvingView":
        """As it is shown."""
        return cls(
            state=solving.state,
            began=solving.began,
            seconds=solving.seconds,
            words=solving.words,
            told=solving.told,
        )


class PlanHeadView(View):
    """A plan in a list."""

    plan: str
    term: str
    first_week: int
    last_week: int
    state: PlanState
    counts_for: tuple[int, ...] = Field(description="The weeks for which it counts; none unless it is published.")
    words: str
    based_on: str
    operator: str = Field(description="Who changed it last.")
    created: float = Field(description="In seconds of hub UTC, as `changed`.")
    changed: float
    solving: SolvingView | None = None

    @classmethod
    def of(cls, head: PlanHead, counts_for: tuple[int, ...], solving: Solving | None) -> "PlanHeadView":
        """As it is shown."""
        return cls(
            plan=head.id,
            term=head.term,
            first_week=head.first_week,
            last_week=head.last_week,
            state=head.state,
            counts_for=counts_for,
            words=head.words,
            based_on=head.based_on,
            operator=head.operator,
            created=head.created,
            changed=head.changed,
            solving=SolvingView.of(solving) if solving is not None else None,
        )


class PlanView(PlanHeadView):
    """One plan."""

    mark: str = Field(description="SHA-256 of the district that is planned, as plan files name it.")
    requests: int
    served: int
    score: Score | None = Field(description="None while there is no plan.")
    total: int | None = Field(description="Points in all.")
    bound: float | None = Field(description="No plan is worth more; none where nobody proved one.")
    gap: float | None = Field(description="How far the plan may be from the best, as a share of the bound.")
    proof: str
    fits: bool = Field(description="Whether the plan holds for the draft as it stands; after an edit it may not.")
    violations: tuple[Words, ...] = Field(description="What it breaks.")
    unserved: tuple[str, ...] = Field(description="Ids of the requests that it does not serve.")
    goals: Goals
    schools: tuple[SchoolSaid, ...] = Field(description="The schools that have a part, and what each said.")
    district_said: SchoolSaid
    misfits: tuple[Remark, ...] = Field(description="What of the facts could not be used.")


class NewSolve(View):
    """How a draft is to be solved."""

    seconds: float | None = Field(None, gt=0, le=3600, description="How long to search; none: as the settings say.")
    work: int | None = Field(None, ge=1, description="How many moves to try: the same plan on every machine.")
    seed: int = Field(1, ge=0, le=2**31 - 1)


class NewApproval(View):
    """What a school, or the district, says. Schools have no accounts: the operator notes who said so."""

    school: str = Field("", max_length=64, description="Id of the school; empty for the district.")
    approved: bool
    words: str = Field("", max_length=500, description="Who said so, and what; a refusal needs it.")


class NewPublication(View):
    """For which weeks a plan is to count; by default those that it was made for."""

    first_week: int | None = Field(None, ge=1, le=60)
    last_week: int | None = Field(None, ge=1, le=60)


class PublishedView(View):
    """What publishing changed: lessons on dates."""

    added: int
    changed: int
    cancelled: int
    kept: int
    past: int = Field(description="Begun before; left as they are.")
