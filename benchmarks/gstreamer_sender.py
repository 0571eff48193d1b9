"""The sending process with GStreamer's webrtcbin: encode once, a tee, N peers, a recording. Run by the system's Python.

python3 benchmarks/gstreamer_sender.py SOCKET FRAMES FOLDER PEERS SECONDS WIDTHxHEIGHT BPS

Needs PyGObject and GStreamer's good, bad, ugly, libav and nice plugins. FRAMES is a file of raw yuv420p pictures,
the same as the other senders send; FOLDER holds their sound too, a file of raw samples for each
20 ms (tone00.raw ...). Offers to benchmarks.room_receiver; prints the same lines as
benchmarks.room_sender.
"""

import json
import mmap
import os
import resource
import socket
import sys
import threading
import time

from gstreamer_webrtc import PICTURES, SOUND, WAIT_S, Joint, kinds  # isort: skip - requires the versions
from gi.repository import GLib, Gst

FPS = 25
BITS, BLOCK = 32, 16
WARM_S = 4.0
JOINED_S = 0.5
DARK, LIGHT = bytes([16]) * BLOCK, bytes([235]) * BLOCK
CAMERA = (
    "appsrc name=camera is-live=true format=time do-timestamp=true "
    "caps=video/x-raw,format=I420,width={width},height={height},framerate={fps}/1 "
    "! x264enc name=encoder tune=zerolatency speed-preset=superfast bitrate={kbps} key-int-max=250 "
    "! video/x-h264,profile=constrained-baseline ! tee name=video allow-not-linked=true "
    "multifilesrc location={tones} stop-index={last_tone} loop=true "
    "caps=audio/x-raw,format=S16LE,layout=interleaved,rate=48000,channels=1 "
    "! rawaudioparse use-sink-caps=true ! identity sync=true "
    "! opusenc bitrate=48000 ! tee name=sound allow-not-linked=true "
    "video. ! queue ! h264parse ! mp4mux name=mux fragment-duration=500 ! filesink location={file} "
    "sound. ! queue ! opusparse ! mux."
)
VIDEO_LEG = "queue leaky=downstream max-size-buffers=60 ! " + PICTURES.format(payload=97)
SOUND_LEG = "queue ! " + SOUND.format(payload=96)


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


def join(pipeline, talk):
    """Add one peer; returns an event that is set once it is connected."""
    joint = Joint(pipeline)
    for leg, tee in ((VIDEO_LEG, "video"), (SOUND_LEG, "sound")):
        joint.send(Gst.parse_bin_from_description(leg, True), pipeline.get_by_name(tee))
    joint.start()
    sdp = joint.offer()
    talk.write(json.dumps({"sdp": sdp, "tracks": kinds(sdp)}) + "\n")
    talk.flush()
    joint.accept(json.loads(talk.readline())["sdp"])
    return joint.connected


def request_keyframe(pipeline):
    """A leg that is added to a tee begins in the middle: with parameter sets, but with no keyframe of its own."""
    wish = Gst.Structure.new_from_string("GstForceKeyUnit, all-headers=(boolean)true")
    encoder = pipeline.get_by_name("encoder").get_static_pad("src")
    encoder.send_event(Gst.Event.new_custom(Gst.EventType.CUSTOM_UPSTREAM, wish))


def main(path, frames, folder, peers, seconds, size, bitrate_bps):
    width, height = size
    Gst.init(None)
    file = os.path.join(folder, "camera.mp4")  # noqa: PTH118
    tones = os.path.join(folder, "tone%02d.raw")  # noqa: PTH118
    last = len([name for name in os.listdir(folder) if name.startswith("tone")]) - 1  # noqa: PTH208
    paths = {"file": file, "tones": tones, "last_tone": last}
    told = CAMERA.format(width=width, height=height, fps=FPS, kbps=bitrate_bps // 1000, **paths)
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
