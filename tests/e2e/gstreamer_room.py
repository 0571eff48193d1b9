"""A room that is GStreamer: shows a moving ball, hums, and counts what it sees and hears. Run by the system's Python.

    python3 -m tests.e2e.gstreamer_room SOCKET offer send
    python3 -m tests.e2e.gstreamer_room SOCKET answer [send] receive

Speaks lines of JSON on a Unix socket: its offer `{"sdp", "tracks"}`, or `{"join": true}` for an offer of the other
side; then `{"connected": true}`; and, asked `{"end": true}`, what came: pictures decoded, pictures that differ from the
one before, and seconds of sound that was not silence.
"""

import json
import os
import re
import socket
import sys
import threading
import zlib
from array import array

from benchmarks.gstreamer_webrtc import PICTURES, SOUND, WAIT_S, Joint, kinds  # isort: skip - requires the versions
from gi.repository import GLib, Gst

CAMERA = (
    "videotestsrc is-live=true pattern=ball ! video/x-raw,format=I420,width=320,height=180,framerate=25/1 "
    "! x264enc tune=zerolatency speed-preset=superfast bitrate=300 key-int-max=250 "
    "! video/x-h264,profile=constrained-baseline ! " + PICTURES
)
PROFILE = ' ! capssetter join=true replace=false caps="application/x-rtp,profile-level-id=(string){profile}"'
"""GStreamer takes two profile-level-ids for two codecs unless they are written alike."""
MICROPHONE = (
    "audiotestsrc is-live=true samplesperbuffer=960 wave=sine freq=400 volume=0.5 ! audio/x-raw,rate=48000,channels=1 "
    "! opusenc bitrate=48000 ! " + SOUND
)
SCREEN = "queue ! rtph264depay ! h264parse ! {decoder} ! appsink name=end emit-signals=true sync=false"
EAR = (
    "queue ! rtpopusdepay ! opusdec ! audioconvert ! audio/x-raw,format=S16LE,channels=1,rate=48000 "
    "! appsink name=end emit-signals=true sync=false"
)
LOUD = 3000


class Tally:
    """What was seen and heard."""

    def __init__(self):
        self.pictures = self.moved = 0
        self.loud_s = 0.0
        self._last = None

    def picture(self, data):
        seen = zlib.crc32(data)
        self.pictures += 1
        self.moved += self._last is not None and seen != self._last
        self._last = seen

    def sound(self, data):
        samples = array("h", data)
        if max(samples, default=0) > LOUD:
            self.loud_s += len(samples) / 48_000


def receive(pipeline, joint, tally):
    """Decode and count whatever comes."""

    def came(_element, pad):
        if pad.direction != Gst.PadDirection.SRC:
            return
        video = pad.get_current_caps().get_structure(0).get_string("media") == "video"
        decoder = "avdec_h264" if Gst.ElementFactory.find("avdec_h264") else "openh264dec"
        end = Gst.parse_bin_from_description(SCREEN.format(decoder=decoder) if video else EAR, True)
        take = tally.picture if video else tally.sound

        def sample(sink):
            buffer = sink.emit("pull-sample").get_buffer()
            take(buffer.extract_dup(0, buffer.get_size()))
            return Gst.FlowReturn.OK

        end.get_by_name("end").connect("new-sample", sample)
        pipeline.add(end)
        end.sync_state_with_parent()
        pad.link(end.get_static_pad("sink"))

    joint.element.connect("pad-added", came)


def payload_type(sdp, codec, also=""):
    """Under which number an offer lists a codec, by a piece of its parameters where it lists several."""
    numbers = re.findall(rf"a=rtpmap:(\d+) {codec}/", sdp, re.IGNORECASE)
    return next(one for one in numbers if not also or re.search(rf"a=fmtp:{one} .*{also}", sdp))


def legs(offer):
    """Camera and microphone, in the numbers of an offer, or in our own where there is none."""
    if offer is None:
        texts = (CAMERA.format(payload=97), MICROPHONE.format(payload=96))
    else:
        profile = re.search(r"profile-level-id=(\w+)", offer)[1]
        camera = CAMERA.format(payload=payload_type(offer, "H264", profile)) + PROFILE.format(profile=profile)
        texts = (camera, MICROPHONE.format(payload=payload_type(offer, "opus")))
    return [Gst.parse_bin_from_description(text, True) for text in texts]


def main(path, how, *what):
    Gst.init(None)
    wire = socket.socket(socket.AF_UNIX)
    wire.connect(path)
    talk = wire.makefile("rw")

    def tell(message):
        talk.write(json.dumps(message) + "\n")
        talk.flush()

    offer = None
    if how == "answer":
        tell({"join": True})
        offer = json.loads(talk.readline())["sdp"]
    pipeline = Gst.Pipeline.new(None)
    joint, tally = Joint(pipeline), Tally()
    if "receive" in what:
        receive(pipeline, joint, tally)
    if "send" in what:
        for leg in legs(offer):
            joint.send(leg, only="receive" not in what)
    threading.Thread(target=GLib.MainLoop().run, daemon=True).start()
    pipeline.set_state(Gst.State.PLAYING)
    joint.start()
    if offer is None:
        sdp = joint.offer()
        tell({"sdp": sdp, "tracks": kinds(sdp)})
        joint.accept(json.loads(talk.readline())["sdp"])
    else:
        tell({"sdp": joint.answer(offer)})
    tell({"connected": joint.connected.wait(WAIT_S)})
    talk.readline()
    tell({"pictures": tally.pictures, "moved": tally.moved, "loud_s": tally.loud_s})
    os._exit(0)  # a pipeline with an open peer takes its time to stop


if __name__ == "__main__":
    main(*sys.argv[1:])
