"""A fleet that only reports: rows of many devices over real MQTT, at a steady rate or as fast as they go.

python -m benchmarks.fleet PORT DEVICES ROWS RATE    (RATE 0: as fast as they go)
"""

import json
import sys
import time

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from benchmarks.wire import HOST
from contract import topics
from contract.telemetry import Row

SAMPLE = {
    "cpu": 0.31,
    "memory_free_bytes": 3_481_272_320,
    "disk_free_bytes": 81_604_378_624,
    "temperature_c": 51.0,
    "uplink_ms": 14.2,
    "clock": {"offset_ns": 48_211_904, "bound_ns": 1_902_113, "drift_ppm": -3.1},
    "sources": {"camera": "ok", "slides": "ok", "sound": "ok"},
    "outbox": {"tele": 3, "event": 0},
}


def device_name(number: int) -> str:
    return f"dev-{number}"


def row(number: int, seq: int) -> bytes:
    """A health sample of one device, stamped with the moment it leaves."""
    stream = f"stream-{number}"
    said = Row(
        stream=stream,
        seq=seq,
        first=1,
        id=f"{stream}-{seq}",
        kind="health",
        boot="b1",
        mono_ns=time.monotonic_ns(),
        wall=time.time(),
        data=SAMPLE,
    )
    return said.model_dump_json().encode()


def main(port: int, devices: int, rows: int, rate: float) -> None:
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id="fleet")
    client.max_inflight_messages_set(2000)
    client.max_queued_messages_set(0)
    client.connect(HOST, port)
    client.loop_start()
    begun = time.monotonic()
    for count in range(rows):
        if rate:
            ahead = begun + count / rate - time.monotonic()
            if ahead > 0:
                time.sleep(ahead)
        number, seq = count % devices, count // devices + 1
        last = client.publish(topics.tele(device_name(number)), row(number, seq), qos=1)
    sent_s = time.monotonic() - begun
    last.wait_for_publish(20)
    client.disconnect()
    client.loop_stop()
    print(json.dumps({"rate": rows / sent_s}), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]))
