"""What runs here: told once a boot and at each change, not in every sample."""

import platform
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version

LIBRARIES = (
    "aiortc",
    "av",
    "cryptography",
    "numpy",
    "onnxruntime",
    "opencv-python-headless",
    "paho-mqtt",
    "psutil",
    "pydantic",
    "sounddevice",
)
"""Libraries whose version decides how a lesson goes; one that is not installed is left out."""


def versions(agent: str, libraries: Iterable[str] = LIBRARIES) -> dict[str, str]:
    """Version by name: of the agent, of Python, of the system and its kernel, and of the libraries that count."""
    found = {"tongtang": agent, "python": platform.python_version(), "system": platform.platform()}
    for name in libraries:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
