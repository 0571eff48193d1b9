"""How this machine stands: the hub in reach, and there what the room is seen and heard with."""

from agent.capture import camera, microphone
from agent.capture.spec import Scheme, SourceSpec
from agent.twin import Standing


def standing(spec: SourceSpec, *, hub: bool) -> Standing:
    """Look, without opening a device; what the source does not name counts as not there.

    Args:
        spec: the room's source.
        hub: whether the hub is in reach.
    """
    sees = spec.picture.scheme is Scheme.CAMERA and camera.missing_words(spec.picture.index) is None
    mic = spec.sound if spec.sound is not None and spec.sound.scheme is Scheme.MIC else None
    return Standing(hub=hub, camera=sees, microphone=mic is not None and microphone.missing_words(mic.value) is None)
