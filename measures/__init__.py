"""The formulas over a timeline. Pure; imports nothing of ours; agent and hub both use it."""
