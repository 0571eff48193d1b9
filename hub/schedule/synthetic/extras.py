"""What a made-up district can have beyond the benchmark's."""

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Extras:
    """What is switched on beyond the benchmark's, each as a share from 0 to 1; the hidden plan keeps to all of it."""

    master: float = 0.0
    """Of the lessons: master classes, which teachers of other schools watch."""
    open_class: float = 0.0
    """Of the requests: a room for a recorded lesson."""
    equipment: float = 0.0
    """Of the rooms that have a laboratory, and of those held or served in one that need it."""
    seats: float = 0.0
    """Of the rooms and classes of which it is known how many pupils they have."""
    maintenance: float = 0.0
    """Of the rooms that are down for half a day."""
    limits: float = 0.0
    """Of the schools whose line carries half on one day, and of those that are closed for half a day."""
    away: float = 0.0
    """Of the teachers and classes that are away for half a day."""
    assistants: float = 0.0
    """Of the requests that name a second assistant, and of those that name none."""
    pins: float = 0.0
    """Of the requests in the hidden plan that are pinned to their place in it."""
    bans: float = 0.0
    """Bans for each request; the hidden plan has nothing to do with them."""
    wishes: float = 0.0
    """Wishes for each request."""

    @classmethod
    def every(cls, share: float) -> "Extras":
        """Everything at the same share."""
        return cls(**{each.name: share for each in fields(cls)})
