"""The demonstration: one hub and two or more rooms on this machine hold a real lesson together."""
