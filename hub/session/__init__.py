"""Conducts sessions: state, signalling."""
