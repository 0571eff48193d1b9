"""What PortAudio knows of this machine, without opening anything."""

import importlib
from typing import Any, Literal

PORTAUDIO = "install PortAudio (Debian, UOS, Kylin: libportaudio2)"


class NoPortAudio(Exception):
    """PortAudio is missing or does not work; the message says which, `todo` what to do."""

    def __init__(self, words: str, todo: str) -> None:
        super().__init__(words)
        self.todo = todo


def names(way: Literal["input", "output"]) -> list[str]:
    """Names of all devices that hear (`input`) or are heard (`output`).

    Raises:
        NoPortAudio: nothing can be asked.
    """
    try:
        sounddevice: Any = importlib.import_module("sounddevice")
    except (ImportError, OSError) as error:
        raise NoPortAudio(f"PortAudio is not there ({error})", PORTAUDIO) from error
    try:
        return [str(one["name"]) for one in sounddevice.query_devices() if one[f"max_{way}_channels"] > 0]
    except sounddevice.PortAudioError as error:
        raise NoPortAudio(f"PortAudio does not work ({error})", "restart the machine's sound service") from error
