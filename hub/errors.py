"""Why a hub cannot be made or run."""


class HubRefused(Exception):
    """The hub cannot be made or run as asked; the message says what to do."""
