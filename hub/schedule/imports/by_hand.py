"""One fact that somebody typed into a form, or takes away: an import of one row, like any other."""

import json
from collections.abc import Iterable, Mapping

from hub.schedule.imports.building import Building
from hub.schedule.imports.header import Header
from hub.schedule.imports.proposal import Proposal, Proposed
from hub.schedule.imports.rows import read_rows
from hub.schedule.imports.sheets import Sheet
from hub.schedule.imports.tables import Table
from hub.schedule.register.kinds import Kind
from hub.schedule.register.register import FactRow

BY_HAND = "by hand"
"""The source of such an import."""


def by_hand(table: Table, typed: Mapping[str, str], known: Iterable[FactRow], language: str) -> Proposal:
    """What one row would change.

    Args:
        table: what it is a row of.
        typed: what stands in each column, by field; the others are empty.
        known: every fact as it is kept.
        language: in which mistakes name the columns.

    Returns:
        The proposal. It has neither changes nor mistakes where nothing was typed.
    """
    building = Building(known)
    building.formats.append("table")
    titles = {one.field: one.zh if language == "zh" else one.en for one in table.columns}
    header = Header(table, 1, {one.field: at for at, one in enumerate(table.columns)}, titles)
    cells = [typed.get(one.field, "") for one in table.columns]
    read_rows(Sheet(BY_HAND, "", [(2, cells)]), header, building, "")
    return building.proposal(BY_HAND, replace=False)


def without(kind: Kind, fact: str, data: str) -> Proposal:
    """The removal of one fact; `data` is how it is kept."""
    name = str(json.loads(data).get("name") or "")
    return Proposal(BY_HAND, "table", (Proposed(kind, fact, name, data, None),), 0, (), (), 0)
