"""One webrtcbin that talks to one of our peers; imported by scripts that the system's Python runs."""
# ruff: noqa: E402 - versions are required before the import

import threading
import time

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import Gst, GstSdp, GstWebRTC

WAIT_S = 10
CAPS_S = 0.3
"""Caps must have come through before an offer or an answer can be made."""
PICTURES = (
    "h264parse config-interval=-1 ! rtph264pay config-interval=-1 aggregate-mode=zero-latency mtu=1200 "
    "! capsfilter caps=application/x-rtp,media=video,encoding-name=H264,payload={payload},clock-rate=90000,"
    "packetization-mode=(string)1"
)
SOUND = "rtpopuspay ! capsfilter caps=application/x-rtp,media=audio,encoding-name=OPUS,payload={payload}"
KEPT = []
"""PyGObject frees what a promise answered while GStreamer still reads it."""


def asked(element, what, *arguments):
    """Ask `element` for something and wait for the answer."""
    promise = Gst.Promise.new()
    element.emit(what, *arguments, promise)
    promise.wait()
    reply = promise.get_reply()
    KEPT.append((promise, reply, arguments))
    return reply


def description(kind, text):
    _, message = GstSdp.SDPMessage.new_from_text(text)
    made = GstWebRTC.WebRTCSessionDescription.new(kind, message)
    KEPT.append((message, made))
    return made


def kinds(sdp):
    """Which track each m-line carries, by mid: the first sound is the microphone's, the first pictures the camera's."""
    tracks = {}
    for part in sdp.split("m=")[1:]:
        mid = next(line[6:] for line in part.splitlines() if line.startswith("a=mid:"))
        tracks[mid] = "camera" if part.startswith("video") else "mic"
    return tracks


class Joint:
    """A webrtcbin in a pipeline, and its signalling."""

    def __init__(self, pipeline):
        self.element = Gst.ElementFactory.make("webrtcbin", None)
        # max-compat: with max-bundle the second m-line has port 0, which aiortc takes for a refusal.
        self.element.set_property("bundle-policy", GstWebRTC.WebRTCBundlePolicy.MAX_COMPAT)
        self.connected = threading.Event()
        """Set once the other end is reached."""
        self._gathered = threading.Event()
        self._pipeline = pipeline
        self._legs = []
        pipeline.add(self.element)
        self.element.connect("notify::ice-gathering-state", self._look)
        self.element.connect("notify::connection-state", self._look)
        KEPT.append(self)

    def send(self, leg, tee=None, *, only=True):
        """Send what a bin gives on an m-line of its own.

        Args:
            leg: the bin, with an open end.
            tee: feeds it where it has an open beginning.
            only: nothing comes back on that m-line.
        """
        self._pipeline.add(leg)
        self._legs.append(leg)
        leg.link(self.element)
        if only:
            transceiver = self.element.emit("get-transceiver", len(self._legs) - 1)
            transceiver.set_property("direction", GstWebRTC.WebRTCRTPTransceiverDirection.SENDONLY)
            transceiver.set_property("do-nack", True)
        if tee is not None:
            tee.link(leg)

    def start(self):
        """Let everything run in step with the pipeline."""
        for element in (self.element, *self._legs):
            element.sync_state_with_parent()
        time.sleep(CAPS_S)

    def offer(self):
        """Make an offer: its SDP."""
        offer = asked(self.element, "create-offer", None).get_value("offer")
        asked(self.element, "set-local-description", offer)
        # aiortc's DTLS client takes no RSA certificate, which is what GStreamer has: let aiortc be the server.
        return self._local().replace("a=setup:actpass", "a=setup:active")

    def accept(self, sdp):
        """Take the answer to the offer."""
        asked(self.element, "set-remote-description", description(GstWebRTC.WebRTCSDPType.ANSWER, sdp))
        self._reach(sdp)

    def answer(self, sdp):
        """Answer an offer: the answer's SDP."""
        asked(self.element, "set-remote-description", description(GstWebRTC.WebRTCSDPType.OFFER, sdp))
        self._reach(sdp)
        answer = asked(self.element, "create-answer", None).get_value("answer")
        asked(self.element, "set-local-description", answer)
        return self._local()

    def _local(self):
        self._gathered.wait(WAIT_S)
        return self.element.get_property("local-description").sdp.as_text()

    def _reach(self, sdp):
        line_index = -1
        for line in sdp.splitlines():  # GStreamer 1.22 does not take candidates out of the SDP
            line_index += line.startswith("m=")
            if line.startswith("a=candidate"):
                self.element.emit("add-ice-candidate", line_index, line[2:])

    def _look(self, *_):
        if self.element.get_property("ice-gathering-state") == GstWebRTC.WebRTCICEGatheringState.COMPLETE:
            self._gathered.set()
        if self.element.get_property("connection-state") == GstWebRTC.WebRTCPeerConnectionState.CONNECTED:
            self.connected.set()
