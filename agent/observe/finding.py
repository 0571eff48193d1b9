"""What a detector found: an observation before it has a place in session time."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found, on the device's monotonic clock."""

    kind: str
    """`speech`, `people`, `slide` or `cadence`; see contract.observation."""
    mono_ns: int
    """When it began."""
    seconds: float = 0.0
    """How long it lasted; 0 for a moment."""
    confidence: float | None = None
    """0 to 1; None where the value is unknown."""
    value: dict[str, Any] = field(default_factory=dict)
