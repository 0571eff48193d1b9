from hub.console.report_notes import NOTES_MOST, notes
from hub.console.texts import load_texts

TEXTS = load_texts()


def room(**changes: object) -> dict:
    return {
        "room": "shiqiao-1",
        "name": "石桥 1",
        "gaps": [],
        "unreadable": 0,
        "clock": {"source": "exchange", "error_s": 0.001, "steps": []},
        "cadence": [{"t": 0.0, "every_s": {"people_s": 1.0}}],
    } | changes


def told(*rooms: dict, language: str = "en", clock_error_s: float = 0.0) -> list[str]:
    return notes({"rooms": list(rooms), "clock_error_s": clock_error_s}, TEXTS[language])


def test_a_lesson_in_which_all_was_well_has_no_notes():
    assert told(room(), room()) == []


def test_what_was_not_recorded_and_what_could_not_be_read_is_told_by_room():
    gap = {"track": "camera", "t": 60.0, "seconds": 30.0, "why": "the disk was full"}
    assert told(room(gaps=[gap], unreadable=3)) == [
        "石桥 1: 01:00 to 01:30 was not recorded (Room).",
        "石桥 1: 3 lines of the timeline could not be read and were left out.",
    ]


def test_a_clock_that_was_set_or_never_heard_the_hub_is_told_in_the_readers_language():
    clock = {"source": "wall", "error_s": 2.0, "steps": [-4.0, 0.5]}
    stepped, never = told(room(clock=clock), language="zh")
    assert stepped == "石桥 1：时钟在课中被拨动 2 次，最大 4\u00a0秒；重叠或空缺的时间按未知处理。"
    assert never == "石桥 1：本机从未与平台对时。"


def test_a_cadence_that_changed_is_told_with_what_was_looked_at_how_often_from_then_on():
    changed = {"t": 300.0, "every_s": {"speech_s": 0.032, "people_s": 2.0, "board_s": None, "other_s": 9.0}}
    (note,) = told(room(cadence=[{"t": 0.0, "every_s": {}}, changed]))
    assert note == "石桥 1: sampled differently from 05:00 on (speech 0.032\u00a0s, people 2\u00a0s, board off)."


def test_a_room_with_hundreds_of_gaps_leaves_the_rest_to_the_data():
    gaps = [{"track": "slides", "t": float(t), "seconds": 1.0, "why": ""} for t in range(500)]
    out = told(room(gaps=gaps))
    assert (len(out), out[-1]) == (NOTES_MOST + 1, f"{500 - NOTES_MOST} more stand in the data.")
