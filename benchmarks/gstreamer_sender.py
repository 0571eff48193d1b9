"""The sending process with GStreamer's webrtcbin: encode once, a tee, N peers, a recording. Run by the system's Python.

python3 benchmarks/gstreamer_sender.py SOCKET FRAMES FOLDER PEERS SECONDS WIDTHxHEIGHT BPS

Needs PyGObject and GStreamer's good, bad, ugly, libav and nice plugins. FRAMES is a file of raw yuv420p pictures,
the same as the other senders send. Offers to benchmarks.room_receiver; prints the same lines as
benchmarks.room_sender.
"""
# ruff: noqa: E402 - versions are required before the import

import json
import mmap
import os
import resource
import socket
import sys
import threading
import time

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC

FPS = 25
BITS, BLOCK = 32, 16
WARM_S = 4.0
WAIT_S = 10
JOINED_S = 0.5
DARK, LIGHT = bytes([16]) * BLOCK, bytes([235]) * BLOCK
CAMERA = (
    "appsrc name=camera is-live=true format=time do-timestamp=true "
    "caps=video/x-raw,format=I420,width={width},height={height},framerate={fps}/1 "
    "! x264enc name=encoder tune=zerolatency speed-preset=superfast bitrate={kbps} key-int-max=250 "
    "! video/x-h264,profile=constrained-baseline ! tee name=video allow-not-linked=true "
    "audiotestsrc is-live=true samplesperbuffer=960 ! audio/x-raw,rate=48000,channels=1 "
    "! opusenc bitrate=48000 ! tee name=sound allow-not-linked=true "
    "video. ! queue ! h264parse ! mp4mux name=mux fragment-duration=500 ! filesink location={file} "
    "sound. ! queue ! opusparse ! mux."
)
VIDEO_LEG = (
    "queue leaky=downstream max-size-buffers=60 ! h264parse config-interval=-1 "
    "! rtph264pay config-interval=-1 aggregate-mode=zero-latency mtu=1200 "
    "! capsfilter caps=application/x-rtp,media=video,encoding-name=H264,payload=97,clock-rate=90000,"
    "packetization-mode=(string)1"
)
SOUND_LEG = "queue ! rtpopuspay ! capsfilter caps=application/x-rtp,media=audio,encoding-name=OPUS,payload=96"


def cpu_s():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def feed(source, path, width, height):
    """Push the pictures at their pace, with the time painted in as `benchmarks.picture` does it."""
    frame_bytes = width * height * 3 // 2
    with open(path, "rb") as file:  # noqa: PTH123 - the system's Python may be old
        frames = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
    count, index, begin = len(frames) // frame_bytes, 0, time.monotonic()
    while True:
        time.sleep(max(0.0, begin + index / FPS - time.monotonic()))
        at = index % count * frame_bytes
        stamp = time.monotonic_ns() // 100_000 & 0xFFFF_FFFF
        row = b"".join(LIGHT if stamp >> bit & 1 else DARK for bit in range(BITS))
        for line in range(BLOCK):
            frames[at + line * width : at + line * width + len(row)] = row
        source.emit("push-buffer", Gst.Buffer.new_wrapped(frames[at : at + frame_bytes]))
        index += 1


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


def join(pipeline, talk):
    """Add one peer; returns an event that is set once it is connected."""
    peer = Gst.ElementFactory.make("webrtcbin", None)
    # max-compat: with max-bundle the second m-line has port 0, which aiortc takes for a refusal.
    peer.set_property("bundle-policy", GstWebRTC.WebRTCBundlePolicy.MAX_COMPAT)
    legs = [Gst.parse_bin_from_description(leg, True) for leg in (VIDEO_LEG, SOUND_LEG)]
    for element in (peer, *legs):
        pipeline.add(element)
    for number, (leg, tee) in enumerate(zip(legs, ("video", "sound"), strict=True)):
        leg.link(peer)
        transceiver = peer.emit("get-transceiver", number)
        transceiver.set_property("direction", GstWebRTC.WebRTCRTPTransceiverDirection.SENDONLY)
        transceiver.set_property("do-nack", True)
        pipeline.get_by_name(tee).link(leg)
    gathered, connected = threading.Event(), threading.Event()

    def look(*_):
        if peer.get_property("ice-gathering-state") == GstWebRTC.WebRTCICEGatheringState.COMPLETE:
            gathered.set()
        if peer.get_property("connection-state") == GstWebRTC.WebRTCPeerConnectionState.CONNECTED:
            connected.set()

    peer.connect("notify::ice-gathering-state", look)
    peer.connect("notify::connection-state", look)
    for element in (peer, *legs):
        element.sync_state_with_parent()
    time.sleep(0.3)  # caps must have come through before an offer can be made
    offer = asked(peer, "create-offer", None).get_value("offer")
    asked(peer, "set-local-description", offer)
    gathered.wait(WAIT_S)
    local = peer.get_property("local-description").sdp.as_text()
    # aiortc's DTLS client takes no RSA certificate, which is what GStreamer has: let aiortc be the server.
    sdp = local.replace("a=setup:actpass", "a=setup:active")
    tracks = {}
    for part in sdp.split("m=")[1:]:
        mid = next(line[6:] for line in part.splitlines() if line.startswith("a=mid:"))
        tracks[mid] = "camera" if part.startswith("video") else "mic"
    talk.write(json.dumps({"sdp": sdp, "tracks": tracks}) + "\n")
    talk.flush()
    answer = json.loads(talk.readline())["sdp"]
    asked(peer, "set-remote-description", description(GstWebRTC.WebRTCSDPType.ANSWER, answer))
    line_index = -1
    for line in answer.splitlines():  # GStreamer 1.22 does not take candidates out of the SDP
        line_index += line.startswith("m=")
        if line.startswith("a=candidate"):
            peer.emit("add-ice-candidate", line_index, line[2:])
    KEPT.append((peer, legs))
    return connected


def request_keyframe(pipeline):
    """A leg that is added to a tee begins in the middle: with parameter sets, but with no keyframe of its own."""
    wish = Gst.Structure.new_from_string("GstForceKeyUnit, all-headers=(boolean)true")
    encoder = pipeline.get_by_name("encoder").get_static_pad("src")
    encoder.send_event(Gst.Event.new_custom(Gst.EventType.CUSTOM_UPSTREAM, wish))


def main(path, frames, folder, peers, seconds, size, bitrate_bps):
    width, height = size
    Gst.init(None)
    file = os.path.join(folder, "camera.mp4")  # noqa: PTH118
    told = CAMERA.format(width=width, height=height, fps=FPS, kbps=bitrate_bps // 1000, file=file)
    pipeline = Gst.parse_launch(told)
    pipeline.set_state(Gst.State.PLAYING)
    threading.Thread(target=GLib.MainLoop().run, daemon=True).start()
    threading.Thread(target=feed, args=(pipeline.get_by_name("camera"), frames, width, height), daemon=True).start()
    wire = socket.socket(socket.AF_UNIX)
    wire.connect(path)
    talk = wire.makefile("rw")
    connected = [join(pipeline, talk) for _ in range(peers)]
    if not all(one.wait(WAIT_S) for one in connected):
        sys.exit("a peer did not connect")
    print(json.dumps({"answered_ns": time.monotonic_ns()}), flush=True)
    time.sleep(JOINED_S)
    request_keyframe(pipeline)
    time.sleep(WARM_S - JOINED_S)
    begin_ns, begin_cpu_s = time.monotonic_ns(), cpu_s()
    print(json.dumps({"begin_ns": begin_ns}), flush=True)
    time.sleep(seconds)
    measured = {"begin_ns": begin_ns, "end_ns": time.monotonic_ns(), "cpu_s": cpu_s() - begin_cpu_s}
    talk.write('{"end": true}\n')
    talk.flush()
    print(json.dumps({**measured, **json.loads(talk.readline())}), flush=True)
    os._exit(0)  # a pipeline with open peers takes its time to stop


if __name__ == "__main__":
    told = sys.argv[6].split("x")
    main(*sys.argv[1:4], int(sys.argv[4]), float(sys.argv[5]), (int(told[0]), int(told[1])), int(sys.argv[7]))
