import socket
import sys
from pathlib import Path

import pytest

from agent.checks import (
    CHECKS,
    Verdict,
    disk,
    identity,
    loudspeaker,
    microphone,
    models,
    portaudio,
    run_checks,
    source,
    state,
)
from agent.checks import broker as broker_check
from agent.settings import AgentSettings
from contract.keys import new_device_key, new_hub_key
from tests.agent.report.brokers import broker_of
from tests.agent.report.conftest import identity_of


def settings_of(folder: Path, **tables) -> AgentSettings:
    return AgentSettings.model_validate({"agent": {"state": folder}, "hub": {"url": "http://127.0.0.1:1"}, **tables})


def test_a_bare_machine_gets_one_line_for_each_thing_with_what_to_do(tmp_path):
    lines = run_checks(settings_of(tmp_path), None)
    assert len(lines) == len(CHECKS)
    for line in lines:
        assert line.words
        assert line.verdict is Verdict.OK or line.todo, line
        assert set(line.as_json()) == {"name", "verdict", "words", "todo"}
    assert {line.name for line in lines if line.verdict is Verdict.BAD} >= {"identity", "hub", "broker"}


def test_a_broker_that_answers_is_fine_and_one_that_does_not_speak_mqtt_is_not(tmp_path):
    me = new_device_key()
    broker = broker_of("", tmp_path / "broker")
    broker.start()
    held = identity_of(me, new_hub_key().public_key(), broker.port)
    assert broker_check.look(settings_of(tmp_path), held).verdict is Verdict.OK
    broker.kill()
    line = broker_check.look(settings_of(tmp_path), held)
    assert (line.verdict, "firewall" in line.todo) == (Verdict.BAD, True)


def test_a_face_blur_without_its_model_keeps_the_machine_from_a_lesson(tmp_path):
    tables = {"models": {"folder": tmp_path}, "observe": {"enabled": False}}
    assert models.look(settings_of(tmp_path, **tables), None).verdict is Verdict.OK
    line = models.look(settings_of(tmp_path, **tables, masks={"faces": "blur"}), None)
    assert (line.verdict, line.todo) == (Verdict.BAD, "tongtang models install")
    assert "whole picture is blurred" in line.words


def test_a_port_that_says_nothing_is_no_broker(tmp_path, monkeypatch):
    monkeypatch.setattr(broker_check, "TIMEOUT_S", 0.3)
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        held = identity_of(new_device_key(), new_hub_key().public_key(), mute.getsockname()[1])
        line = broker_check.look(settings_of(tmp_path), held)
    assert "does not speak MQTT" in line.words


@pytest.mark.parametrize(
    "text, words",
    [
        ("kamera:0", "did you mean camera"),
        ("file:nowhere.mp4", "nowhere.mp4"),
        ("rtsp://127.0.0.1:1/x", "does not answer"),
    ],
)
def test_a_source_that_cannot_be_is_told(tmp_path, text, words):
    line = source.look(settings_of(tmp_path, sources={"source": text}), None)
    assert line.verdict is not Verdict.OK
    assert words in line.words


def test_the_password_of_a_network_camera_is_not_shown(tmp_path):
    for text in ("rtsp://teacher:secret@127.0.0.1:1/x", "rtsp://teacher:secret@10.0.0.8/x+camera:0"):
        lines = run_checks(settings_of(tmp_path, sources={"source": text}), None)
        assert "secret" not in "\n".join(map(str, lines))


def test_an_authority_that_is_not_there_is_the_hubs_line_and_says_what_to_mend(tmp_path):
    settings = settings_of(tmp_path, hub={"url": "https://127.0.0.1:1", "ca": tmp_path / "nope.pem"})
    line = next(one for one in run_checks(settings, None) if one.name == "hub")
    assert line.verdict is Verdict.BAD
    assert "mend ca under [hub]" in line.words
    assert "start the hub" not in line.todo


def test_a_hub_in_the_settings_that_is_not_the_one_enrolled_with_is_told(tmp_path):
    held = identity_of(new_device_key(), new_hub_key().public_key(), 1)
    assert identity.look(settings_of(tmp_path), held).verdict is Verdict.OK
    line = identity.look(settings_of(tmp_path, hub={"url": "http://10.0.0.2:8080"}), held)
    assert (line.verdict, "which counts" in line.words) == (Verdict.WARN, True)


def test_the_rehearsal_is_always_there(tmp_path):
    assert source.look(settings_of(tmp_path), None).verdict is Verdict.OK


@pytest.mark.parametrize("missing", [ImportError("no sounddevice"), OSError("PortAudio library not found")])
def test_without_portaudio_the_checks_say_what_is_not_heard_and_what_to_install(tmp_path, monkeypatch, missing):
    def refuse(_name):
        raise missing

    monkeypatch.setattr(portaudio.importlib, "import_module", refuse)
    settings = settings_of(tmp_path, sources={"source": "camera:0+mic:default"})
    for look, verdict in ((loudspeaker.look, Verdict.WARN), (microphone.look, Verdict.BAD)):
        line = look(settings, None)
        assert (line.verdict, "libportaudio2" in line.todo) == (verdict, True)


def test_a_microphone_or_loudspeaker_of_another_name_is_answered_with_those_there_are(tmp_path, monkeypatch):
    class Sound:
        PortAudioError = ValueError
        default = type("Default", (), {"device": (0, 0)})

        @staticmethod
        def query_devices():
            both = {"max_input_channels": 1, "max_output_channels": 2, "default_samplerate": 48_000}
            return [{"name": "USB Array", **both}]

    monkeypatch.setitem(sys.modules, "sounddevice", Sound)
    right = settings_of(tmp_path, sources={"source": "camera:0+mic:usb", "loudspeaker": "usb"})
    wrong = settings_of(tmp_path, sources={"source": "camera:0+mic:studio", "loudspeaker": "studio"})
    for look in (loudspeaker.look, microphone.look):
        assert look(right, None).verdict is Verdict.OK
        line = look(wrong, None)
        assert line.verdict is not Verdict.OK
        assert "USB Array" in line.words


def test_a_room_that_wants_no_loudspeaker_needs_none(tmp_path):
    assert loudspeaker.look(settings_of(tmp_path, sources={"loudspeaker": "none"}), None).verdict is Verdict.OK


def test_a_state_folder_that_cannot_be_written_is_bad(tmp_path):
    (tmp_path / "file").write_text("")
    line = state.look(settings_of(tmp_path / "file" / "state"), None)
    assert line.verdict is Verdict.BAD


def test_a_disk_that_is_nearly_full_is_told_in_lessons(tmp_path):
    line = disk.look(settings_of(tmp_path, record={"min_free_bytes": 10**18}), None)
    assert line.verdict is Verdict.BAD
    assert "not enough for one lesson" in line.words
