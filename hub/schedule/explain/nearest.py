"""Where no lesson is what a request asks for: those that come nearest, and what they differ in."""

from hub.schedule.explain.occupied import Occupied
from hub.schedule.repair.names import GRADES_ZH, topic_words
from hub.schedule.slots import Id
from hub.schedule.wants import Lesson, Request
from hub.schedule.words import Words

MOST_LESSONS = 3


def no_lesson(occupied: Occupied, request: Request) -> list[tuple[Id | None, Words]]:
    """That no lesson is of the topic; then the nearest, each with what rules it out."""
    topic = topic_words(request)
    edition = request.edition
    words = Words(
        zh=f"没有外校开设{edition}{topic.zh}的课",
        en=f"no other school offers {topic.en}" + (f", edition {edition}" if edition else ""),
    )
    nearest = sorted(
        (one for one in occupied.district.lessons if one.subject == request.subject),
        key=lambda one: (len(_differences(occupied, request, one)), abs(one.grade - request.grade), one.id),
    )
    told: list[tuple[Id | None, Words]] = [(None, words)]
    for lesson in nearest[:MOST_LESSONS]:
        what, apart = occupied.names.lesson(lesson.id), _differences(occupied, request, lesson)
        zh, en = "；".join(one.zh for one in apart), "; ".join(one.en for one in apart)
        told.append((lesson.id, Words(zh=f"{what.zh}：{zh}", en=f"{what.en}: {en}")))
    return told


def _differences(occupied: Occupied, request: Request, lesson: Lesson) -> list[Words]:
    found = []
    if occupied.names.lead_school(lesson).id == occupied.names.home(request).id:
        found.append(Words(zh="是本校的课", en="it is the school's own"))
    if lesson.mode != request.mode:
        found.append(Words(zh="授课方式不同", en=f"it is a {lesson.mode} class, not {request.mode}"))
    if lesson.grade != request.grade:
        grade, asked = GRADES_ZH[lesson.grade - 1], GRADES_ZH[request.grade - 1]
        words = Words(zh=f"年级不同（{grade}年级，需要{asked}年级）", en=f"grade {lesson.grade}, not {request.grade}")
        found.append(words)
    if lesson.edition != request.edition:
        found.append(
            Words(
                zh=f"教材版本不同（{lesson.edition or '未注明'}，需要{request.edition or '未注明'}）",
                en=f"edition {lesson.edition or 'unnamed'}, not {request.edition or 'unnamed'}",
            )
        )
    return found
