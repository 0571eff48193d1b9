"""Benchmarks: one file per table in docs/performance.md; each runs the peers side by side in one run."""
