"""The report's pictures: pure functions from figures to SVG; they read without colour, and say what they show."""
