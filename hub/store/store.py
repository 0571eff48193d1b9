"""The hub's database, one part a concern."""

from dataclasses import dataclass

from hub.store.alerts import AlertTable
from hub.store.calendar_tokens import CalendarTokenTable
from hub.store.certificates import CertificateTable
from hub.store.chapters import ChapterTable
from hub.store.claims import ClaimTable
from hub.store.commands import CommandTable
from hub.store.devices import DeviceTable
from hub.store.engine import Database, open_engine
from hub.store.facts import FactTable
from hub.store.figures import FigureTable
from hub.store.materials import MaterialTable
from hub.store.migrate import upgrade
from hub.store.occurrences import OccurrenceTable
from hub.store.operators import OperatorTable
from hub.store.plan_facts import PlanFactTable
from hub.store.plans import PlanTable
from hub.store.repairs import RepairTable
from hub.store.retention import Retention
from hub.store.rollups import RollupTable
from hub.store.rows import RowTable
from hub.store.sessions import SessionTable
from hub.store.twins import TwinTable


@dataclass(frozen=True, slots=True)
class Store:
    """What the hub keeps. Every part is synchronous and thread-safe: from asyncio, use `asyncio.to_thread`."""

    database: Database
    devices: DeviceTable
    sessions: SessionTable
    rows: RowTable
    operators: OperatorTable
    facts: FactTable
    alerts: AlertTable
    claims: ClaimTable
    certificates: CertificateTable
    commands: CommandTable
    twins: TwinTable
    rollups: RollupTable
    retention: Retention
    chapters: ChapterTable
    materials: MaterialTable
    figures: FigureTable
    plan_facts: PlanFactTable
    plans: PlanTable
    occurrences: OccurrenceTable
    calendar_tokens: CalendarTokenTable
    repairs: RepairTable

    @classmethod
    def open(cls, url: str) -> "Store":
        """Open the database and bring its tables to this version.

        Raises:
            hub.store.errors.StoreUnusable: it cannot be opened, or a newer hub has written it.
        """
        database = Database(open_engine(url))
        upgrade(database.engine)
        return cls(
            database,
            DeviceTable(database),
            SessionTable(database),
            RowTable(database),
            OperatorTable(database),
            FactTable(database),
            AlertTable(database),
            ClaimTable(database),
            CertificateTable(database),
            CommandTable(database),
            TwinTable(database),
            RollupTable(database),
            Retention(database),
            ChapterTable(database),
            MaterialTable(database),
            FigureTable(database),
            PlanFactTable(database),
            PlanTable(database),
            OccurrenceTable(database),
            CalendarTokenTable(database),
            RepairTable(database),
        )

    def close(self) -> None:
        """Close every connection."""
        self.database.close()
