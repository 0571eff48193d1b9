"""An answer that the search changes step by step: what is left, who uses what, and what every change gains.

`Facts` stand, `Answer` changes. An *item* is a lesson (its number) or a request (its number after those of the
lessons); what an item has taken stands at its number in `Answer.at`. A *spot* is what an item occupies: an option, or
a place (its number after those of the options). An answer holds at every moment: nothing is put in that does not
fit. A lesson is held exactly as long as it serves somebody.

All integers lie in one array, `at`, and every name says where its part begins, the columns of a row side by side:
numba compiles functions that are handed one array and forty numbers in a fraction of the time that forty arrays take,
and a row is in the processor's cache at once.
"""

from typing import NamedTuple

from hub.schedule.compiled import Ints
from hub.schedule.solve.engine import Journal, Kept, note, touch
from hub.schedule.solve.jit import jitted

REQUEST, SPOT, OPTION, LESSON, GAIN, CANDIDATE = 0, 1, 2, 3, 4, 5
"""Columns of a candidate (option and lesson are -1 for an open class), and how many there are."""
LEFT, COUNT, FIRST, RESOURCE = 0, 1, 2, 3
"""Columns of a resource: units that are left, how many use it, where its users begin in `Answer.users`."""


class Facts(NamedTuple):
    """The packing problem, with what the search looks up beside it; all but `at` and the counts are beginnings."""

    at: Ints
    lessons: int
    requests: int
    pins: int
    """How many must be served."""
    pinned: int
    """(pin,) the request."""
    fan: int
    """(lesson,) most that it serves in either kind of week."""
    seat_start: int
    """(lesson + 1,) into `Answer.seats`."""
    option_gain: int
    """(option,)"""
    row_start: int
    """(option + 1,) into `row`."""
    row: int
    """(row,) candidates that the option could serve."""
    use_start: int
    """(spot + 1,) into `use`."""
    use: int
    """(use, 2) resource and units."""
    mask: int
    """(request,) 1 for odd weeks, 2 for even weeks, 3 for both."""
    request_start: int
    """(request + 1,) into `candidate`."""
    candidate: int
    """(candidate, CANDIDATE)"""
    group_start: int
    """(request + 1,) into `group`."""
    group: int
    """(row,) groups that a request is in."""
    cost_start: int
    """(group + 1,) into `cost`."""
    cost: int
    """(row,) points taken off for 0, 1, 2 ... unmet requests."""


class Answer(NamedTuple):
    """What has been chosen so far; what is not said to be something else is a beginning in `at`."""

    at: Ints
    """First (item,): option of a lesson, candidate of a request; -1 for none."""
    resource: int
    """(resource, RESOURCE)"""
    users: int
    """Items that use a resource."""
    fan: int
    """(lesson, 2) served in odd and in even weeks."""
    seat_count: int
    """(lesson,) served at all."""
    seats: int
    """Requests that a lesson serves, each lesson's from `Facts.seat_start` on."""
    unserved: int
    """Requests that nobody serves, in no order."""
    size: int
    """(1,) how many."""
    where: int
    """(request,) its row in `unserved`, or in `seats`."""
    unmet: int
    """(group,)"""
    journal: Journal
    kept: Kept


@jitted
def fits(facts: Facts, answer: Answer, request: int, candidate: int) -> bool:
    """Whether an unserved request could take a candidate; its lesson is opened where it is not held."""
    row = facts.candidate + CANDIDATE * candidate
    option = facts.at[row + OPTION]
    if option >= 0:
        lesson = facts.at[row + LESSON]
        held = answer.at[lesson]
        if held >= 0:
            if held != option or not _has_seat(facts, answer, lesson, request):
                return False
        elif not _is_free(facts, answer, option):
            return False
    return _is_free(facts, answer, facts.at[row + SPOT])


@jitted
def _has_seat(facts: Facts, answer: Answer, lesson: int, request: int) -> bool:
    mask = facts.at[facts.mask + request]
    fan = facts.at[facts.fan + lesson]
    served = answer.fan + 2 * lesson
    if mask & 1 and answer.at[served] >= fan:
        return False
    return not (mask & 2 and answer.at[served + 1] >= fan)


@jitted
def _is_free(facts: Facts, answer: Answer, spot: int) -> bool:
    """Whether there is enough left of all that a spot uses."""
    begin = facts.at[facts.use_start + spot]
    end = facts.at[facts.use_start + spot + 1]
    for use in range(facts.use + 2 * begin, facts.use + 2 * end, 2):
        if answer.at[answer.resource + RESOURCE * facts.at[use] + LEFT] < facts.at[use + 1]:
            return False
    return True


@jitted
def worth(facts: Facts, answer: Answer, request: int) -> int:
    """Points of fairness that serving an unserved request brings."""
    points = 0
    for row in range(facts.at[facts.group_start + request], facts.at[facts.group_start + request + 1]):
        group = facts.at[facts.group + row]
        cost = facts.cost + facts.at[facts.cost_start + group] + answer.at[answer.unmet + group]
        points += facts.at[cost] - facts.at[cost - 1]
    return points


@jitted
def serve(facts: Facts, answer: Answer, request: int, candidate: int) -> int:
    """Serve an unserved request by a candidate that fits; the points that it brings."""
    row = facts.candidate + CANDIDATE * candidate
    gain: int = facts.at[row + GAIN] + worth(facts, answer, request)
    lesson = facts.at[row + LESSON]
    if lesson >= 0 and answer.at[lesson] < 0:
        option = facts.at[row + OPTION]
        _change(facts, answer, lesson, option)
        gain += facts.at[facts.option_gain + option]
    _change(facts, answer, facts.lessons + request, candidate)
    return gain


@jitted
def unserve(facts: Facts, answer: Answer, request: int) -> int:
    """Serve a request no more, and close its lesson where it was the last; the points that it brings, mostly < 0."""
    row = facts.candidate + CANDIDATE * answer.at[facts.lessons + request]
    _change(facts, answer, facts.lessons + request, -1)
    gain: int = -facts.at[row + GAIN] - worth(facts, answer, request)
    lesson = facts.at[row + LESSON]
    if lesson >= 0 and answer.at[answer.seat_count + lesson] == 0:
        gain -= facts.at[facts.option_gain + answer.at[lesson]]
        _change(facts, answer, lesson, -1)
    return gain


@jitted
def undo(facts: Facts, answer: Answer) -> None:
    """Go back to where the journal begins."""
    for row in range(answer.journal.length[0] - 1, -1, -1):
        _set(facts, answer, answer.journal.rows[row, 1], answer.journal.rows[row, 2])
    answer.journal.length[0] = 0


@jitted
def _change(facts: Facts, answer: Answer, item: int, taken: int) -> None:
    note(answer.journal, 0, item, answer.at[item])
    _set(facts, answer, item, taken)


@jitted
def _set(facts: Facts, answer: Answer, item: int, taken: int) -> None:
    """Have an item that has nothing take something, or (-1) give up what it has."""
    touch(answer.kept, item)
    row = answer.at[item] if taken < 0 else taken
    answer.at[item] = taken
    change = 1 if taken >= 0 else -1
    if item >= facts.lessons:
        row = facts.candidate + CANDIDATE * row
        _count(facts, answer, item - facts.lessons, facts.at[row + LESSON], change)
        row = facts.at[row + SPOT]
    begin = facts.at[facts.use_start + row]
    end = facts.at[facts.use_start + row + 1]
    for use in range(facts.use + 2 * begin, facts.use + 2 * end, 2):
        resource = answer.resource + RESOURCE * facts.at[use]
        answer.at[resource + LEFT] -= change * facts.at[use + 1]
        first = answer.users + answer.at[resource + FIRST]
        if change > 0:
            answer.at[first + answer.at[resource + COUNT]] = item
            answer.at[resource + COUNT] += 1
        else:
            answer.at[resource + COUNT] -= 1
            last = first + answer.at[resource + COUNT]
            for user in range(first, last):
                if answer.at[user] == item:
                    answer.at[user] = answer.at[last]
                    break


@jitted
def _count(facts: Facts, answer: Answer, request: int, lesson: int, change: int) -> None:
    """Count a request among the served (1) or unserved (-1), and in its lesson, if any."""
    for row in range(facts.at[facts.group_start + request], facts.at[facts.group_start + request + 1]):
        answer.at[answer.unmet + facts.at[facts.group + row]] -= change
    if change > 0:
        answer.at[answer.size] -= 1
        _fill(answer, answer.unserved, answer.at[answer.size], request)
    if lesson >= 0:
        mask = facts.at[facts.mask + request]
        answer.at[answer.fan + 2 * lesson] += change * (mask & 1)
        answer.at[answer.fan + 2 * lesson + 1] += change * (mask >> 1)
        seats = answer.seats + facts.at[facts.seat_start + lesson]
        if change > 0:
            _add(answer, seats, answer.at[answer.seat_count + lesson], request)
        answer.at[answer.seat_count + lesson] += change
        if change < 0:
            _fill(answer, seats, answer.at[answer.seat_count + lesson], request)
    if change < 0:
        _add(answer, answer.unserved, answer.at[answer.size], request)
        answer.at[answer.size] += 1


@jitted
def _add(answer: Answer, rows: int, count: int, request: int) -> None:
    answer.at[rows + count] = request
    answer.at[answer.where + request] = count


@jitted
def _fill(answer: Answer, rows: int, last: int, request: int) -> None:
    """Take a request out of rows by putting the last in its stead."""
    row = answer.at[answer.where + request]
    other = answer.at[rows + last]
    answer.at[rows + row] = other
    answer.at[answer.where + other] = row
