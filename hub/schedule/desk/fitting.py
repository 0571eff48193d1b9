"""Whether a plan holds for a district as it stands, and what it is worth there."""

from hub.schedule.check import check
from hub.schedule.desk.book import Book
from hub.schedule.district import District
from hub.schedule.plan import Plan


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
    unmarked = answer.model_copy(update={"district": ""})
    checked = check(district, unmarked, before)
    if not checked.holds:
        return Book(district, unmarked)
    mark = Book(district, None).mark
    told = {
        "district": mark,
        "score": checked.score,
        "bound": bound,
        "proof": answer.proof if bound is not None else "",
    }
    return Book(district, answer.model_copy(update=told))
