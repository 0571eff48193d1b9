"""Whether GStreamer can be measured against and talked to on this machine, and with which Python."""

import subprocess
from collections.abc import Iterable

SYSTEM_PYTHON = "/usr/bin/python3"
"""PyGObject belongs to the system; it is not in our environment."""
PACKAGES = (
    "python3-gi gir1.2-gst-plugins-base-1.0 gir1.2-gst-plugins-bad-1.0 gstreamer1.0-plugins-base "
    "gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly gstreamer1.0-libav gstreamer1.0-nice"
)
"""What Debian calls all of it."""
TALKS = ("webrtcbin", "nicesrc", "dtlssrtpenc", "rtpbin")
"""Elements of every peer connection."""
LOOK_S = 60
"""The first look at GStreamer's plugins on a machine takes its time."""


def missing(elements: Iterable[str]) -> str | None:
    """Why GStreamer cannot be used here, in words that name what to install; None where it can.

    Args:
        elements: what is needed; "this|that" where either will do.
    """
    code = (
        "import gi; gi.require_version('Gst', '1.0'); gi.require_version('GstWebRTC', '1.0')\n"
        "from gi.repository import Gst, GstWebRTC, GstSdp; Gst.init(None)\n"
        "there = lambda names: any(Gst.ElementFactory.find(name) for name in names.split('|'))\n"
        f"print(' '.join(names for names in {tuple(elements)!r} if not there(names)))"
    )
    try:
        done = subprocess.run(
            [SYSTEM_PYTHON, "-c", code], capture_output=True, text=True, check=False, timeout=LOOK_S
        )  # fmt: skip
    except FileNotFoundError:
        return f"there is no {SYSTEM_PYTHON}"
    lacking = done.stderr.strip().splitlines()[-1] if done.returncode else done.stdout.strip()
    return f"GStreamer lacks {lacking}; on Debian install {PACKAGES}" if lacking else None
