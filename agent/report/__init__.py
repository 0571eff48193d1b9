"""Outboxes, the MQTT link, signals, clock and health."""
