"""Ready-to-run settings and service units, shipped inside the wheel."""
