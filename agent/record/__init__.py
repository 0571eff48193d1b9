"""Packets to crash-safe files to a sealed lesson package to upload."""
