"""The page of the plan's facts: how many there are school by school, what was imported, a form for a file."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from starlette.responses import Response

from hub.api.plan_imports import LARGEST_IMPORT_BYTES, Imports
from hub.console.facts_held import DryRuns
from hub.console.facts_tally import OF_SCHOOLS, Tallies
from hub.console.pages import Pages
from hub.console.texts import Texts
from hub.schedule.imports.by_hand import BY_HAND
from hub.schedule.imports.cells import plain
from hub.schedule.imports.importing import summary
from hub.schedule.imports.reading import FORMATS
from hub.schedule.imports.tables import TABLES
from hub.schedule.imports.template import title_of
from hub.schedule.register.kinds import Kind
from hub.schedule.register.words import words
from hub.store.plan_facts import UNDO, ImportRecord, PlanFactTable

LINES = 25
"""Schools, imports, changes or mistakes on one page of a list."""
SCHOOLS_OFFERED = 500
"""Schools that are offered while one is typed."""


class FactsPage:
    """What the page of facts shows; every function blocks on the database.

    Args:
        pages: makes pages.
        imports: the hub's.
        timezone: in which calendars are read.
        now: seconds of hub UTC.
    """

    def __init__(self, pages: Pages, imports: Imports, timezone: str, now: Callable[[], float]) -> None:
        self.pages = pages
        self.imports = imports
        self.timezone = timezone
        self.now = now
        self.facts: PlanFactTable = imports.facts
        self.dry_runs = DryRuns(imports.facts, imports.importing)
        self.tallies = Tallies(imports.facts)

    def all(self, request: Request, status: int = 200, **more: object) -> Response:
        """The page of facts, with a refusal or what was typed where there is any."""
        t, query = self.pages.texts(request), request.query_params
        tally = self.tallies.now()
        wanted = plain(query.get("q", "")[:100])
        schools = [one for one in tally.schools if wanted in plain(f"{one.id} {one.name} {one.community}")]
        at = page_number(query.get("page", ""), len(schools))
        values: dict[str, Any] = {"refused": "", "asked": {}, "done": self.made(t, query.get("done", "")), **more}
        number = _number(query.get("imports", ""))
        listed = self._imports(t, LINES + 1, (number - 1) * LINES)
        return self.pages.page(
            request,
            "facts.html",
            status,
            here="facts",
            path="/facts",
            tally=tally,
            kinds={kind: words(f"kind.{kind}").told(t.language) for kind in Kind},
            of_schools=OF_SCHOOLS,
            schools=schools[(at - 1) * LINES : at * LINES],
            found=len(schools),
            q=query.get("q", "")[:100],
            at=at,
            last=last_page(len(schools)),
            address=lambda page: "?" + urlencode({"q": query.get("q", "")[:100], "page": page}) + "#schools",
            imports=listed[:LINES],
            imports_at=number,
            imports_more=len(listed) > LINES,
            **self.how(t),
            tables=[(table.key, title_of(table, t.language)) for table in TABLES],
            largest=LARGEST_IMPORT_BYTES,
            by_hand=BY_HAND,
            **values,
        )

    def how(self, t: Texts) -> dict[str, Any]:
        """What the form offers that says how a file is to be read."""
        kinds = [
            *((one, t(f"facts.format.{one}")) for one in FORMATS),
            *((one.key, title_of(one, t.language)) for one in TABLES),
        ]
        return {"formats": kinds, "schools_named": self.tallies.now().schools[:SCHOOLS_OFFERED]}

    def made(self, t: Texts, made: str) -> dict[str, Any] | None:
        """The newest import as it is told, where it is this one; whoever made it has come back from making it."""
        return next((one for one in self._imports(t, 1) if made and one["id"] == made), None)

    def _imports(self, t: Texts, count: int, passed_over: int = 0) -> list[dict[str, Any]]:
        records = self.facts.imports(passed_over + count)[passed_over:]
        changed = self.facts.changed([one.id for one in records])
        return [_import_shown(one, changed.get(one.id, {}), t) for one in records]


def _import_shown(record: ImportRecord, changed: Mapping[str, Mapping[str, int]], t: Texts) -> dict[str, Any]:
    """An import as it is listed; one that takes another back says which."""
    return {
        "id": record.id,
        "made": record.made,
        "operator": record.operator,
        "source": record.source,
        "undoes": record.source if record.format == UNDO else "",
        "undone": record.undone,
        "words": summary(changed, t.language),
    }


def _number(said: str) -> int:
    return min(max(1, int(said)), 100_000) if said.isdecimal() and len(said) < 7 else 1


def last_page(count: int) -> int:
    """How many pages so many lines take; one at least."""
    return max(1, -(-count // LINES))


def page_number(said: str, count: int) -> int:
    """The page that an address asks for, where there is one, from 1."""
    return min(_number(said), last_page(count))
