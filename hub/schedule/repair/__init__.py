"""Repairs the plan when life happens: what is disrupted, and the ways out of it."""
