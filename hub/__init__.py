"""One district: stores, schedules, conducts sessions, archives, and shows."""
