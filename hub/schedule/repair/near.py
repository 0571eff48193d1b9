"""The part of a district that a repair has to look at.

Compiling every way in which everybody could be served takes most of the time that a repair has. Whoever does not
move is therefore offered nothing but where they are; they still take up what they take up.
"""

from collections.abc import Collection

import numpy as np

from hub.schedule.chosen import Chosen
from hub.schedule.compiled import Compiled
from hub.schedule.district import District
from hub.schedule.plan import Plan
from hub.schedule.wants import Lesson, Request


def near(facts: District, plan: Plan, requests: Collection[str]) -> District:
    """A district in which only some can be planned anew; everything is in the same order as before.

    Args:
        facts: the district.
        plan: where the others are, and stay.
        requests: whoever may go elsewhere. Lessons that one of them could follow are offered all their times.
    """
    held = {one.lesson: one.time for one in plan.held}
    served = {one.request: one for one in plan.served}
    topics = {_topic(one) for one in facts.requests if one.id in requests}

    def lesson_now(one: Lesson) -> Lesson:
        if _topic(one) in topics:
            return one
        return one.model_copy(update={"times": (held[one.id],) if held.get(one.id) in one.times else ()})

    def request_now(one: Request) -> Request:
        if one.id in requests:
            return one
        now = served.get(one.id)
        if now is None or now.time not in one.times:
            return one.model_copy(update={"times": ()})
        stays = (now.assistant,) if now.assistant in one.assistants else one.assistants
        return one.model_copy(update={"times": (now.time,), "assistants": stays})

    return facts.model_copy(
        update={
            "lessons": tuple(lesson_now(one) for one in facts.lessons),
            "requests": tuple(request_now(one) for one in facts.requests),
        }
    )


def carried(chosen: Chosen, of: Compiled, to: Compiled) -> Chosen:
    """An answer to one problem as an answer to another of the same lessons and requests.

    Where it is not offered there, it is left out.
    """
    options = {option: row for row, option in enumerate(to.options)}
    option = np.array([options.get(of.options[one], -1) if one >= 0 else -1 for one in chosen.option], np.int32)
    candidate = np.full(len(chosen.candidate), -1, np.int32)
    for request in np.flatnonzero(chosen.candidate >= 0):
        one = chosen.candidate[request]
        lead = of.candidate_option[one]
        wanted = options.get(of.options[lead], -2) if lead >= 0 else -1
        for row in range(to.request_start[request], to.request_start[request + 1]):
            same = to.places[to.candidate_place[row]] == of.places[of.candidate_place[one]]
            if same and to.candidate_option[row] == wanted:
                candidate[request] = row
    return Chosen(option, candidate)


def _topic(one: Lesson | Request) -> tuple[str, str, int, str]:
    return one.mode, one.subject, one.grade, one.edition
