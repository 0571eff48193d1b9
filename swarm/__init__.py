"""A simulated fleet over real MQTT: what a district would send, and what the hub made of it."""
