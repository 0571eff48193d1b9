"""Why a device cannot be registered."""


class DeviceRefused(Exception):
    """A device that cannot be registered as asked; the message says what to do."""
