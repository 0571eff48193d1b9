from pathlib import Path

from contract.clock import ClockRecord
from contract.package import MANIFEST, Gap, Part
from contract.result import RoomResult
from contract.session import Mode, Policy, Role
from tests.hub_api.archive.test_intake import send
from tests.hub_api.district import District, package
from tests.hub_api.reported import kept, taught

TIMELINE = (
    b'{"kind":"speech","t":1.5,"mono_ns":0,"seconds":2.0,"confidence":0.9}\n'
    b"not an observation\n"
    b'{"kind":"slide","t":4.0,"mono_ns":0,"value":{"index":2}}\n'
    b'{"kind":"people","t":4.0,"mono_ns":0,"value":{"count":31}}\n'
)


def upload(hub: District, folder: Path, session: str, **more: object) -> None:
    files = {"camera.mp4": b"picture", "timeline.jsonl": TIMELINE}
    package(folder, hub.lead, Role.LEAD, session, files, **more)
    for name in (*files, MANIFEST):
        send(hub, hub.lead, session, folder / name)


def test_playback_places_parts_turns_and_slides_in_session_time(hub: District, tmp_path: Path):
    session = hub.session()
    upload(hub, tmp_path / "p", session)
    lead, far = hub.http().get(f"/api/v1/sessions/{session}/playback").json()["rooms"]
    assert lead["speech"] == [{"t": 1.5, "seconds": 2.0}]
    assert lead["slides"] == [{"t": 4.0, "index": 2}]
    assert [clip["file"] for track in lead["tracks"] for clip in track["clips"]] == ["camera.mp4"]
    assert hub.http().get(lead["tracks"][0]["clips"][0]["url"]).content == b"picture"
    assert far["tracks"] == []


def test_what_teachers_who_watched_did_not_send_is_not_missing(hub: District, tmp_path: Path):
    session = taught(hub, mode=Mode.MASTER)
    kept(hub, session, tmp_path, 0)
    page = hub.http().get(f"/lessons/{session}", headers={"Accept-Language": "en"}).text
    assert "Nothing is missing" in page
    assert "Watching room" in page
    assert "the package has not arrived" not in page


def test_an_open_class_is_played_and_no_other_room_is_looked_for(hub: District, tmp_path: Path):
    session = taught(hub, mode=Mode.OPEN)
    kept(hub, session, tmp_path, 0)
    page = hub.http().get(f"/lessons/{session}", headers={"Accept-Language": "en"}).text
    assert "Open class" in page
    assert "The rooms in step" not in page
    assert "Nothing is missing" in page
    assert "No data" not in page.split('id="figures-title"')[1].split('data-label="Received"')[1]


def test_the_page_says_what_is_missing(hub: District, tmp_path: Path):
    session = hub.session()
    gaps = (Gap(track="camera", start_t=3.0, end_t=9.0, why="the camera was unplugged"),)
    told = RoomResult(words=("the slides could not be captured",))
    upload(hub, tmp_path / "p", session, gaps=gaps, result=told, clock=ClockRecord(boot="b", source="wall"))
    page = hub.http().get(f"/lessons/{session}", headers={"Accept-Language": "en"}).text
    assert "00:03 to 00:09 was not recorded (the camera was unplugged)" in page
    assert "the slides could not be captured" in page
    assert "never compared clocks" in page
    assert "the package has not arrived" in page


def test_why_something_was_not_recorded_is_told_in_the_readers_language(hub: District, tmp_path: Path):
    session = hub.session()
    part = Part(track="camera", file="camera.mp4", index=0, boot="b", start_mono_ns=0, start_t=0.0)
    parts = (
        part.model_copy(update={"start_t": 1.0, "seconds": 4.0, "closed": "crash"}),
        part.model_copy(update={"start_t": 6.0, "seconds": 2.0, "closed": "end"}),
    )
    stretches = ((0.0, 1.0), (5.0, 6.0), (8.0, 20.0))
    gaps = [Gap(track="camera", start_t=start, end_t=end, why="words of the room") for start, end in stretches]
    gaps.append(Gap(track="slides", start_t=0.0, end_t=20.0, why="words of the room"))
    upload(hub, tmp_path / "p", session, gaps=tuple(gaps), parts=parts)
    told = hub.http().get(f"/api/v1/sessions/{session}/playback").json()["rooms"][0]["gaps"]
    assert [gap["reason"] for gap in told] == ["late", "crash", "early", "nothing"]
    page = hub.http().get(f"/lessons/{session}", headers={"Accept-Language": "zh"}).text
    for words in ("录制开始得晚", "教室服务或机器中断后重新启动", "录制提前结束", "完全没有录制"):
        assert words in page
    assert "words of the room" not in page


def test_a_lesson_whose_policy_keeps_it_in_the_room_says_so(hub: District):
    session = hub.session(policy=Policy(record=True))
    page = hub.http().get(f"/lessons/{session}").text
    assert "按课程策略不上传" in page
    assert "没有保存这节课的录像" in page


def test_what_people_wrote_is_shown_as_they_wrote_it_and_never_run(hub: District):
    session = hub.session(title="<script>alert(1)</script> & 5 > 3")
    for path in ("/", f"/lessons/{session}"):
        page = hub.http().get(path).text
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; 5 &gt; 3" in page


def test_an_unknown_lesson_is_said_to_be_unknown(hub: District):
    for session in ("s-2026-none", "nonsense", "%2e%2e"):
        answer = hub.http().get(f"/lessons/{session}")
        assert answer.status_code == 404
