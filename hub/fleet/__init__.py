"""Devices: who they are and how they are."""
