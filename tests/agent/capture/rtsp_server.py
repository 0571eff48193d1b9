"""A small RTSP server (RFC 2326) over TCP, with H.264 (RFC 6184) and G.711 sound, for one client at a time."""

import contextlib
import socket
import struct
import threading
import time
from fractions import Fraction

import av
import numpy as np


class RtspServer:
    """Serves a moving picture at 25 fps and a tone; can be stopped and started again on the same port."""

    def __init__(self, *, sound: bool = True, port: int = 0):
        self.sound = sound
        self.connections = 0
        self._ended = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", port))
        self.port = self._listener.getsockname()[1]
        self.url = f"rtsp://user:geheim@127.0.0.1:{self.port}/stream1"
        self._client: socket.socket | None = None
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def close(self):
        self._ended.set()
        for one in (self._listener, self._client):
            if one is not None:
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
                one.close()
        self._thread.join()

    def _serve(self):
        while not self._ended.is_set():
            try:
                self._client, _ = self._listener.accept()
                self.connections += 1
                self._converse(self._client)
            except OSError:
                continue

    def _sdp(self):
        lines = ["v=0", "o=- 0 0 IN IP4 127.0.0.1", "s=classroom", "c=IN IP4 0.0.0.0", "t=0 0", "a=control:*"]
        lines += ["m=video 0 RTP/AVP 96", "a=rtpmap:96 H264/90000", "a=fmtp:96 packetization-mode=1", "a=control:v"]
        if self.sound:
            lines += ["m=audio 0 RTP/AVP 8", "a=rtpmap:8 PCMA/8000", "a=control:a"]
        return "\r\n".join(lines) + "\r\n"

    def _converse(self, client: socket.socket):
        held = b""
        while True:
            while b"\r\n\r\n" not in held:
                data = client.recv(4096)
                if not data:
                    return
                held += data
            head, held = held.split(b"\r\n\r\n", 1)
            first, *fields = head.decode().split("\r\n")
            given = dict(field.split(": ", 1) for field in fields)
            verb = first.split()[0]
            answer, body = [f"CSeq: {given['CSeq']}", "Session: 7"], ""
            if verb == "OPTIONS":
                answer.append("Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN")
            elif verb == "DESCRIBE":
                body = self._sdp()
                answer += ["Content-Type: application/sdp", f"Content-Length: {len(body)}"]
            elif verb == "SETUP":
                answer.append(f"Transport: {given['Transport']}")
            client.sendall(("\r\n".join(["RTSP/1.0 200 OK", *answer]) + "\r\n\r\n" + body).encode())
            if verb == "PLAY":
                self._play(client)
                return

    def _play(self, client: socket.socket):
        encoder = av.CodecContext.create("libx264", "w")
        encoder.width, encoder.height, encoder.pix_fmt = 320, 180, "yuv420p"
        encoder.framerate, encoder.time_base = Fraction(25), Fraction(1, 25)
        encoder.options = {"preset": "ultrafast", "tune": "zerolatency", "g": "10", "x264-params": "repeat-headers=1"}
        voice = av.CodecContext.create("pcm_alaw", "w")
        voice.sample_rate, voice.layout, voice.format = 8000, "mono", "s16"
        sequence, begun = [0, 0], time.monotonic()
        for n in range(10_000):
            self._ended.wait(max(0.0, begun + n / 25 - time.monotonic()))
            if self._ended.is_set():
                return
            planes = np.full((270, 320), 128, np.uint8)
            planes[:180] = 40 + n * 5 % 180
            frame = av.VideoFrame.from_ndarray(planes, "yuv420p")
            frame.pts, frame.time_base = n, Fraction(1, 25)
            units = [unit for packet in encoder.encode(frame) for unit in _units(bytes(packet))]
            payloads = [part for unit in units for part in _fragments(unit)]
            for index, payload in enumerate(payloads):
                self._send(client, 0, 96, sequence, n * 3600, payload, marker=index == len(payloads) - 1)
            if self.sound:
                time_s = (np.arange(320) + n * 320) / 8000
                tone = (9000 * np.sin(2 * np.pi * 500 * time_s)).astype(np.int16)[None, :]
                heard = av.AudioFrame.from_ndarray(tone, "s16", "mono")
                heard.sample_rate, heard.pts, heard.time_base = 8000, n * 320, Fraction(1, 8000)
                for packet in voice.encode(heard):
                    self._send(client, 1, 8, sequence, n * 320, bytes(packet), marker=False)

    @staticmethod
    def _send(client, track, kind, sequence, timestamp, payload, *, marker):
        sequence[track] = (sequence[track] + 1) & 0xFFFF
        head = struct.pack("!BBHII", 0x80, kind | (0x80 if marker else 0), sequence[track], timestamp, 1 + track)
        client.sendall(struct.pack("!cBH", b"$", track * 2, len(head) + len(payload)) + head + payload)


def _units(data: bytes) -> list[bytes]:
    parts = data.replace(b"\x00\x00\x00\x01", b"\x00\x00\x01").split(b"\x00\x00\x01")
    return [part for part in parts if part]


def _fragments(unit: bytes) -> list[bytes]:
    if len(unit) <= 1200:
        return [unit]
    kind, rest = unit[0], unit[1:]
    cuts = [rest[at : at + 1198] for at in range(0, len(rest), 1198)]
    ends = {0: 0x80, len(cuts) - 1: 0x40}
    return [bytes([kind & 0xE0 | 28, kind & 0x1F | ends.get(n, 0)]) + cut for n, cut in enumerate(cuts)]
