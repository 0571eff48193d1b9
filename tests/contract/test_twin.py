import pytest

from contract.twin import TwinConfig, TwinUnfit, settable, understood


def test_what_is_not_set_is_left_to_the_device():
    assert understood({"report": {"health_s": 10}, "video": {}}).plain() == {"report": {"health_s": 10.0}}
    assert understood({"observe": {"enabled": None}}).plain() == {}
    assert TwinConfig().plain() == {}


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"health_s": 5}, "did you mean report.health_s"),
        ({"report": {"helth_s": 5}}, "did you mean report.health_s"),
        ({"video": {"health_s": 5}}, "did you mean report.health_s"),
        ({"hub": {"mqtt_host": "elsewhere"}}, "hub.mqtt_host: there is no such setting in the twin"),
        ({"agent": {"state": "/"}}, "there is no such setting"),
        ({"video": {"fps_max": 600}}, "video.fps_max"),
        ({"report": {"health_s": float("nan")}}, "report.health_s"),
        ({"report": 5}, "report"),
        ({"sources": {"loudspeaker": ""}}, "sources.loudspeaker"),
    ],
)
def test_what_cannot_be_set_from_afar_is_refused_with_the_nearest_right_name(config, words):
    with pytest.raises(TwinUnfit, match=words):
        understood(config)


def test_the_list_of_what_can_be_set_is_short_and_explicit():
    assert settable() == (
        "hub.keepalive_s",
        "sources.loudspeaker",
        "video.width_max",
        "video.height_max",
        "video.fps_max",
        "video.bitrate_max",
        "observe.enabled",
        "observe.people_hz",
        "observe.slides_hz",
        "record.keep_uploaded",
        "record.upload_bps",
        "report.health_s",
    )
