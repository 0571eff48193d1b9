"""The ways out of a repair, side by side, as a page shows them; and the week as each would have it."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from hub.console.plan_grid import SIDES, chosen, grid_of, options
from hub.console.plan_repair_told import FOLLOWED_MOST, Followed, followed, named, said_of, standing, told
from hub.console.texts import Texts
from hub.schedule.desk.book import Book
from hub.schedule.desk.desk import Desk
from hub.schedule.plan import Plan
from hub.schedule.repair.alternative import Alternative, Whom
from hub.schedule.repair.repairs import Repair, Repairs
from hub.schedule.repair.replan import facts_of
from hub.schedule.terms import Term
from hub.store.occurrences import OccurrenceRecord

KINDS = {"lost": "bad", "lesson-off": "bad", "unpinned": "bad", "moved": "warn", "lesson-moved": "warn"}
"""Shape and colour of what changes; all else is merely noted."""
COUNTED = ("placed", "lost", "moved", "rooms_changed")
"""What of a way out is counted, by the key of its word."""


@dataclass(frozen=True)
class WayShown:
    """One way out."""

    number: int
    words: str
    counts: tuple[tuple[str, int], ...]
    """As `COUNTED`."""
    points: int
    changes: tuple[tuple[str, str], ...]
    """Shape and sentence of each."""
    informed: list[tuple[str, list[tuple[Whom, str]]]]


def ways_shown(
    repair: Repair,
    desk: Desk,
    repairs: Repairs,
    occurrence: Callable[[str], OccurrenceRecord | None],
    query: dict[str, str],
    t: Texts,
) -> dict[str, Any]:
    """What the page of a repair shows. Blocks on the database.

    Args:
        repair: it.
        desk: has the plans.
        repairs: knows what can be taken.
        occurrence: looks up a lesson on a date.
        query: of the page's address: `way`, whose week is shown as it would have it, and `school` and `whose`.
        t: the reader's language.

    Raises:
        ScheduleRefused: the plan or its term is not there any more.
    """
    record, new = repair.record, repair.new
    opened = desk.open(record.plan)
    plan, term = opened.book.plan, desk.term(new.term)
    takeable = repairs.takeable(repair)
    lessons = followed(repair.outcome, occurrence, t) if repair.outcome is not None else []
    elsewhere = {week for one, weeks in desk.counting(term.id).items() for week in weeks if one != record.plan}
    taken = repair.alternatives[record.taken - 1] if record.taken is not None else None
    asked = query.get("way", "")
    number = int(asked) if asked in {str(one + 1) for one in range(len(repair.alternatives))} else record.taken or 1
    return {
        "repair": repair,
        "head": opened.head,
        "term": term,
        "what": told(repair, t),
        "standing": standing(repair, takeable=takeable),
        "takeable": takeable,
        "ways": [_way(at, one, opened.book, t) for at, one in enumerate(repair.alternatives, start=1)],
        "taken": said_of(taken.words, t) if taken is not None else "",
        "made": desk.head(repair.outcome.plan) if repair.outcome is not None else None,
        "followed": lessons[:FOLLOWED_MOST],
        "followed_more": max(0, len(lessons) - FOLLOWED_MOST),
        "calendars": named(_calendars(taken, lessons), opened.book.district, t) if taken is not None else [],
        "replaced": _replaced(new.week, opened.head.last_week, elsewhere) if new.onwards and takeable else [],
        **(_week(repair, number, opened.book, plan, term, query, t) if plan is not None else {}),
    }


def _way(number: int, way: Alternative, book: Book, t: Texts) -> WayShown:
    kinds = Counter(change.kind for change in way.changes)
    counts = (len(way.placed), len(way.lost), way.sessions_moved, kinds["room"])
    return WayShown(
        number=number,
        words=said_of(way.words, t),
        counts=tuple(zip(COUNTED, counts, strict=True)),
        points=way.score.total,
        changes=tuple((KINDS.get(change.kind, "info"), said_of(change.words, t)) for change in way.changes),
        informed=named(way.for_whom(), book.district, t),
    )


def _calendars(taken: Alternative, lessons: Iterable[Followed]) -> Iterator[Whom]:
    """Who has a part in what was changed, or had one before."""
    yield from taken.for_whom()
    for one in lessons:
        yield from ((kind.value, who) for kind, who in one.record.occurrence.parts)


def _replaced(first: int, last: int, elsewhere: Collection[int]) -> list[int]:
    """Weeks that have a plan of their own, which a repair that lasts takes the place of."""
    return [week for week in range(first, last + 1) if week in elsewhere]


def _week(
    repair: Repair, number: int, before: Book, plan: Plan, term: Term, query: dict[str, str], t: Texts
) -> dict[str, Any]:
    """The week of a school, as a way out would have it, with what it changes marked."""
    way = repair.alternatives[number - 1]
    book = Book(facts_of(before.district, plan, way), way.plan)
    hit = next((school for change in way.changes for school in change.schools), "")
    week = "" if repair.new.onwards else str(repair.new.week)
    choice = chosen(book, term, query.get("school") or hit, query.get("whose", ""), week)
    return {
        "shown_way": number,
        "grid": grid_of(book, term, choice, t),
        "choice": choice,
        "whose": options(book, choice.school, t),
        "schools": [(one.id, one.name or one.id) for one in book.district.schools],
        "sides": SIDES,
        "marked": {one for change in way.changes for one in (change.request, change.lesson) if one is not None},
        "grid_weeks": (),
    }
