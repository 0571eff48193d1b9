"""MQTT topics. No school stands in a topic: broker ACL patterns substitute whole levels only."""

import functools

ROOT = "tt/v1"
REMEMBERED = 1 << 16
"""Topics that are not taken apart anew: those of ten districts."""

HUB_STATE = f"{ROOT}/hub/state"
"""Retained presence of the hub, with a will."""


def state(device: str) -> str:
    """Retained birth of a device; its will is the death (`DeviceState`)."""
    return f"{ROOT}/{device}/state"


def tele(device: str) -> str:
    """Telemetry rows of the device's outbox (`Row`)."""
    return f"{ROOT}/{device}/tele"


def event(device: str) -> str:
    """Event rows of the device's outbox (`Row`)."""
    return f"{ROOT}/{device}/event"


def ack(device: str) -> str:
    """Committed watermarks, hub to device (`Watermark`)."""
    return f"{ROOT}/{device}/ack"


def signal_up(device: str) -> str:
    """Signals, device to hub, in a signed envelope."""
    return f"{ROOT}/{device}/signal/up"


def signal_down(device: str) -> str:
    """Signals, hub to device, in a signed envelope."""
    return f"{ROOT}/{device}/signal/down"


def command(device: str) -> str:
    """Commands, hub to device, in a signed envelope."""
    return f"{ROOT}/{device}/command"


def result(device: str) -> str:
    """Results of commands, device to hub, in a signed envelope."""
    return f"{ROOT}/{device}/result"


def twin_desired(device: str) -> str:
    """The configuration that the hub wants, in a signed envelope, retained."""
    return f"{ROOT}/{device}/twin/desired"


def twin_reported(device: str) -> str:
    """The configuration that the device has, in a signed envelope, retained."""
    return f"{ROOT}/{device}/twin/reported"


@functools.lru_cache(REMEMBERED)
def parted(topic: str) -> tuple[str, str] | None:
    """The device of a topic and what follows it, such as `tele` or `signal/up`; None where it is none of ours."""
    root, slash, rest = topic.partition("/v1/")
    device, end, leaf = rest.partition("/")
    if root + slash != f"{ROOT}/" or not end or device == "hub":
        return None
    return device, leaf


def device_of(topic: str) -> str | None:
    """The device level of a topic, or None where the topic is not one of ours."""
    found = parted(topic)
    return found[0] if found else None
