"""What `tongtang swarm --json` prints, and how it is counted."""

from collections import Counter
from collections.abc import Sequence

from pydantic import BaseModel, Field

from swarm.hubs import StoredRow
from swarm.ledger import Line, Spread

COMMIT_MEANS = (
    "from the device's stamp to the arrival, back at the device, of the watermark that the hub publishes after its "
    "commit: the commit itself was earlier by the way back"
)


class Percentiles(BaseModel):
    """In milliseconds."""

    rows: int
    p50: float
    p99: float
    longest: float

    @classmethod
    def of(cls, spread: Spread | None) -> "Percentiles | None":
        """The same, or nothing where nothing was measured."""
        if spread is None:
            return None
        return cls(rows=spread.rows, p50=spread.p50, p99=spread.p99, longest=spread.longest)


class SwarmResult(BaseModel):
    """One run."""

    version: int = 1
    devices: int
    how: str = Field(description="What stood in for a device.")
    seconds: float
    rate: float = Field(description="Samples a second and device.")
    messages_per_s: float = Field(description="Rows that were produced in a second, over all devices.")
    broker: str
    tls: bool
    connect_s: float = Field(description="Seconds until all were connected at the beginning.")
    drain_s: float = Field(description="Seconds from the last sample until the hub had acknowledged everything.")
    produced: int = Field(description="Lines of the producers' own ledger.")
    stored: int = Field(description="Rows that the hub has of these devices.")
    lost: int = Field(description="Produced and not stored.")
    duplicated: int = Field(description="Stored more than once.")
    commit_ms: Percentiles | None = Field(description="Samples of devices that nobody cut; see commit_means.")
    commit_means: str = COMMIT_MEANS
    arrival_ms: Percentiles | None = Field(
        description="From production to the hub's own stamp as the row came off its network, as it stored it."
    )
    cut_commit_ms: Percentiles | None = Field(None, description="Rows of devices that outages cut.")
    burst_commit_ms: Percentiles | None = Field(None, description="Events of bursts.")
    hub_cpu_share: float | None = Field(description="Processor time of the hub's process in a second of the run.")
    broker_cpu_share: float | None = Field(description="The same of its broker; null where both are one process.")
    swarm_cpu_share: float = Field(description="The same of the simulated fleet, on the same machine.")
    load_average: float | None = Field(description="Of the machine over the last minute, at the end.")
    words: tuple[str, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether everything arrived, and once."""
        return not self.lost and not self.duplicated


class Counted(BaseModel):
    """What was produced against what is there."""

    produced: int
    stored: int
    lost: int
    duplicated: int


def count(produced: Sequence[Line], stored: Sequence[StoredRow]) -> Counted:
    """Compare the producers' ledger with what the hub has."""
    times = Counter(row.id for row in stored)
    return Counted(
        produced=len(produced),
        stored=len(stored),
        lost=sum(line.id not in times for line in produced),
        duplicated=sum(one - 1 for one in times.values()),
    )


def arrivals(produced: Sequence[Line], stored: Sequence[StoredRow]) -> list[float]:
    """Seconds from production to the hub's stamp, of every row that has one; both clocks are this machine's."""
    made = {line.id: line.wall for line in produced}
    return [row.received - made[row.id] for row in stored if row.received is not None and row.id in made]
