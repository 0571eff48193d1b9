"""Whether a plan holds for a district as it stands, and what it is worth there."""

from hub.schedule.check import check
from hub.schedule.desk.book import Book
from hub.schedule.district import District
from hub.schedule.plan import Plan, fingerprint


def refitted(district: District, answer: Plan | None, before: Plan | None, bound: float | None) -> Book:
    """A plan counted anew; where it does not hold, it bears no district's mark until it is solved again.

    Args:
        district: as it stands.
        answer: the plan; None while there is none.
        before: the plan so far.
        bound: what no plan can exceed, where that is still true.
    """
    if answer is None:
        return Book(district, None)
    proof = answer.proof if bound is not None else ""
    unmarked = answer.model_copy(update={"district": "", "bound": bound, "proof": proof})
    checked = check(district, unmarked, before)
    if not checked.holds:
        return Book(district, unmarked)
    return Book(district, unmarked.model_copy(update={"district": fingerprint(district), "score": checked.score}))
