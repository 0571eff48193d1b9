"""All ways in which a request could be served, were it not for what is in them."""

from collections.abc import Iterator

from hub.schedule.explain.change import FactChange
from hub.schedule.explain.home import AtHome
from hub.schedule.explain.lead import following, holding, pair_obstacles
from hub.schedule.explain.obstacle import Obstacle, Way
from hub.schedule.explain.occupied import Occupied
from hub.schedule.facts import School
from hub.schedule.slots import Slot, meeting_periods
from hub.schedule.wants import Lesson, Request
from hub.schedule.words import Words

LEAST_MINUTES = 15
"""Periods that overlap for less are not looked at: nobody would change a rule so far."""
Topic = tuple[str, str, int, str]
LeadTime = tuple[Slot, tuple[Obstacle, ...]]


class Ways:
    """Looks for ways, for one request after the other."""

    def __init__(self, occupied: Occupied) -> None:
        self._occupied = occupied
        self._by_topic: dict[Topic, list[Lesson]] = {}
        for lesson in occupied.district.lessons:
            self._by_topic.setdefault((lesson.mode, lesson.subject, lesson.grade, lesson.edition), []).append(lesson)
        self._meeting: dict[tuple[str, str], dict[int, list[tuple[int, int]]]] = {}
        self._holding: dict[tuple[str, Slot], tuple[Obstacle, ...]] = {}

    def lessons(self, request: Request) -> list[Lesson]:
        """The lessons of its topic that other schools offer."""
        found = self._by_topic.get((request.mode, request.subject, request.grade, request.edition), [])
        home = self._occupied.names.home(request).id
        return [one for one in found if self._occupied.names.lead_school(one).id != home]

    def meeting(self, lead: School, home: School) -> dict[int, list[tuple[int, int]]]:
        """By period of one school: those of another that overlap it, and by how many minutes."""
        found = self._meeting.get((lead.id, home.id))
        if found is None:
            found = self._meeting[lead.id, home.id] = meeting_periods(lead.bells, home.bells, 1)
        return found

    def of(self, request: Request) -> Iterator[Way]:
        """The ways of one request."""
        at_home = AtHome(self._occupied, request)
        if request.mode == "open":
            pinned = any(pin.lesson is not None for pin in self._occupied.district.pins if pin.request == request.id)
            wrong = Obstacle(
                "pin", Words(zh="已固定由一节课服务，公开课没有课", en="it is pinned to a lesson, and has none")
            )
            for time in self._all_times(self._occupied.names.home(request)):
                found, assistant = at_home.at(time)
                yield Way(None, None, time, assistant, (wrong, *found) if pinned else found)
            return
        for lesson in self.lessons(request):
            yield from self._by(request, lesson, at_home)

    def _by(self, request: Request, lesson: Lesson, at_home: AtHome) -> Iterator[Way]:
        pair = tuple(pair_obstacles(self._occupied, request, lesson))
        home, lead = self._occupied.names.home(request), self._occupied.names.lead_school(lesson)
        least = self._occupied.district.rules.min_overlap_minutes
        meeting = self.meeting(lead, home)
        for lead_time, in_the_way in self._lead_times(request, lesson, lead):
            for period, minutes in meeting.get(lead_time[1], ()):
                if minutes < min(least, LEAST_MINUTES):
                    continue
                time = (lead_time[0], period)
                short = self._short(minutes, least) if minutes < least else ()
                found, assistant = at_home.at(time)
                yield Way(lesson.id, lead_time, time, assistant, (*pair, *in_the_way, *short, *found))

    def _lead_times(self, request: Request, lesson: Lesson, lead: School) -> Iterator[LeadTime]:
        held = self._occupied.held.get(lesson.id)
        if held is not None:
            yield held.time, following(self._occupied, request, lesson)
            elsewhere = Obstacle("other-time", Words(zh="该课已排在别的节次", en="the lesson is held at another time"))
            for time in lesson.times:
                if time != held.time:
                    yield time, (elsewhere,)
            return
        days = {day for day, _ in request.times}
        for time in self._all_times(lead):
            if time in lesson.times or time[0] in days:
                found = self._holding.get((lesson.id, time))
                if found is None:
                    found = self._holding[lesson.id, time] = holding(self._occupied, lesson, time)
                yield time, found

    def _all_times(self, school: School) -> Iterator[Slot]:
        for day in range(1, 6):
            for period in range(1, len(school.bells) + 1):
                yield day, period

    @staticmethod
    def _short(minutes: int, least: int) -> tuple[Obstacle, ...]:
        words = Words(
            zh=f"两校共同时间只有 {minutes} 分钟（至少 {least} 分钟）",
            en=f"the bells have {minutes} minutes in common ({least} at least)",
        )
        return (Obstacle("overlap", words, (FactChange(kind="min-overlap", number=minutes),)),)
