"""What can go wrong on the MQTT side."""


class BrokerUnusable(Exception):
    """No broker can be started or reached; the message says what to do."""
