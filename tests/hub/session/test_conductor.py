import pytest

from contract.envelope import sign
from contract.keys import new_device_key, new_hub_key, public_pem
from contract.package import Receipt
from contract.result import RoomResult
from contract.session import Mode, Policy, Role
from contract.signal import Answer, Clock, Hello, Offer, Order, RoomReport
from contract.state import SessionState as S
from contract.timetable import TimetableSlot
from hub.fleet.devices import Devices, NewDevice
from hub.session.conductor import Conductor, Times, new_session_id
from hub.session.errors import RolesWrong, RoomBusy, RoomUnknown, SessionUnknown, TimeWrong, TooLate
from hub.session.views import NewRoom, NewSession
from hub.store.store import Store
from tests.hub.tables import with_tables

PEMS = {room: public_pem(new_device_key()) for room in ("room-a", "room-b", "room-c", "room-d")}
START = 1_000_000.0


class Post:
    """A sender that keeps what it was given."""

    def __init__(self):
        self.sent = []
        self.valid_s = []

    def send(self, signal, valid_s):
        assert valid_s > 0
        self.sent.append(signal)
        self.valid_s.append(valid_s)

    def taken(self, kind):
        found = [one for one in self.sent if one.kind == kind]
        self.sent = [one for one in self.sent if one.kind != kind]
        return found


class District:
    """A conductor on a real store, with a clock and a post in hand; may be killed and made anew."""

    def __init__(self, tmp_path):
        self.url = with_tables(tmp_path / "hub.db")
        self.now = START
        self.minted = 0
        self.changed = []
        self.store = None
        self.restart()
        for room, pem in PEMS.items():
            self.devices.register(NewDevice(f"dev-{room[-1]}", room, room.upper(), "学校", pem))

    def restart(self):
        if self.store is not None:
            self.store.close()
        self.store = Store.open(self.url)
        self.post = Post()
        self.devices = Devices(self.store.devices, lambda: self.now, lambda _: None)
        self.conductor = Conductor(
            self.store.sessions,
            self.devices,
            self.post,
            lambda: self.now,
            Times(lead_s=4.0, grace_s=10.0),
            self.changed.append,
            self.mint,
        )

    def mint(self, now):
        self.minted += 1
        return f"s-000{self.minted}"

    def hello(self, letter, incarnation="i1", **orders):
        held = {name.replace("_", "-"): rev for name, rev in orders.items()}
        hello = Hello(device=f"dev-{letter}", boot="b", incarnation=incarnation, orders=held)
        assert self.conductor.handle(hello, self.now) == ""

    def report(self, letter, state, incarnation="i1", session="s-0001", room=None, **more):
        report = RoomReport(
            device=f"dev-{letter}",
            session=session,
            room=room or f"room-{letter}",
            rev=1,
            state=state,
            incarnation=incarnation,
            **more,
        )
        return self.conductor.handle(report, self.now)

    def states(self, session="s-0001"):
        view = self.conductor.view(session)
        return view.state, *(room.state for room in view.rooms)


@pytest.fixture
def district(tmp_path):
    district = District(tmp_path)
    yield district
    district.store.close()


def request(*rooms, **more):
    rooms = rooms or ("room-a", "room-b")
    roles = [NewRoom(room=room, role=Role.RECEIVING if n else Role.LEAD) for n, room in enumerate(rooms)]
    return NewSession(**({"title": "数学", "seconds": 60.0, "rooms": tuple(roles)} | more))


def test_a_session_that_starts_now_is_ordered_of_every_room(district):
    view = district.conductor.create(request())
    assert (view.state, view.epoch, view.now_t, view.rev) == (S.SCHEDULED, START + 4.0, -4.0, 1)
    assert [(room.room, room.name, room.role) for room in view.rooms] == [
        ("room-a", "ROOM-A", "lead"),
        ("room-b", "ROOM-B", "receiving"),
    ]
    orders = district.post.taken("order")
    assert [one.device for one in orders] == ["dev-a", "dev-b"]
    assert {one.order.epoch for one in orders} == {START + 4.0}
    assert district.changed == ["s-0001"]


def test_the_policy_is_all_off_unless_asked(district):
    assert district.conductor.create(request()).policy == Policy()
    view = district.conductor.create(request("room-c", "room-d", policy=Policy(record=True)))
    assert view.policy.record


def test_a_lesson_of_the_plan_is_ordered_two_weeks_ahead_and_says_where_it_stands_in_the_timetable(district):
    slot = TimetableSlot(week=12, day=3, period=3)
    rooms = (NewRoom(room="room-a", role=Role.LEAD), NewRoom(room="room-b", role=Role.RECEIVING, period=4))
    begins = START + 14 * 86_400.0
    view = district.conductor.create(request(rooms=rooms, start=begins, timetable=slot))
    assert (view.epoch, view.timetable) == (begins, slot)
    assert all(valid_s > 14 * 86_400.0 for valid_s in district.post.valid_s), "it may arrive after days of no network"
    sent = district.post.taken("order")
    assert [one.device for one in sent] == ["dev-a", "dev-b"], "at once, not when the lesson is near"
    order = sent[0].order
    assert [order.slot_in(room).words("zh") for room in order.rooms] == [
        "第 12 周 周三 第 3 节",
        "第 12 周 周三 第 4 节",
    ]


@pytest.mark.parametrize(
    "asked, error, words",
    [
        (request("room-a", "room-x"), RoomUnknown, "no device stands in room room-x"),
        (request("room-a", "room-a"), RolesWrong, "named twice"),
        (
            request(rooms=(NewRoom(room="room-a", role=Role.LEAD), NewRoom(room="room-b", role=Role.LEAD))),
            RolesWrong,
            "room-a and room-b",
        ),
        (
            request(rooms=(NewRoom(room="room-a", role=Role.RECEIVING), NewRoom(room="room-b", role=Role.RECEIVING))),
            RolesWrong,
            "exactly one lead room; here: none",
        ),
        (request("room-a"), RolesWrong, "of mode delivery has a receiving room beside its lead room"),
        (request(start=START - 100), TimeWrong, "in the past"),
        (request(start=START * 1000), TimeWrong, "seconds of UTC"),
        (request("room-c", "room-b"), RoomBusy, "room room-b already has session s-0001"),
    ],
)
def test_what_cannot_be_held_is_refused_in_words_and_leaves_nothing(district, asked, error, words):
    district.conductor.create(request())
    district.post.taken("order")
    with pytest.raises(error, match=words):
        district.conductor.create(asked)
    assert len(district.conductor.views()) == 1
    assert district.post.sent == []


def test_orders_are_sent_again_until_they_are_held_also_after_a_restart(district):
    district.conductor.create(request())
    first = district.post.taken("order")
    district.conductor.answered(first[0], "")
    district.restart()
    district.conductor.tick()
    again = district.post.taken("order")
    assert again == [first[1]]
    district.conductor.answered(again[0], "")
    district.conductor.tick()
    assert district.post.sent == []
    assert all(room.held for room in district.conductor.view("s-0001").rooms)


def test_an_order_that_a_device_refuses_is_logged_and_stays_unheld(district, caplog):
    district.conductor.create(request())
    order = district.post.taken("order")[0]
    district.conductor.answered(order, "the disk is full")
    assert "the disk is full" in caplog.text
    assert not district.conductor.view("s-0001").rooms[0].held


def test_a_whole_lesson_goes_through_every_state(district):
    district.conductor.create(request(policy=Policy(record=True, upload=True)))
    for letter in "ab":
        district.hello(letter, s_0001=1)
    seen = [district.states()[0]]

    def all_say(state, **more):
        for letter in "ab":
            assert district.report(letter, state, **more) == ""
        seen.append(district.states()[0])

    all_say(S.READYING)
    all_say(S.READY)
    district.now += 5
    all_say(S.LIVE)
    district.now += 60
    all_say(S.ENDING)
    all_say(S.SEALED, result=RoomResult(video_frames_sent=1500))
    all_say(S.UPLOADED, result=RoomResult(video_frames_sent=1500))
    assert seen == [S.SCHEDULED, S.READYING, S.READY, S.LIVE, S.ENDING, S.SEALED, S.UPLOADED]
    assert district.conductor.view("s-0001").rooms[0].result.video_frames_sent == 1500
    assert district.store.sessions.due(district.now + 1e6) == [], "nothing more is expected of it"


def test_a_lead_room_holds_an_open_class_by_itself(district):
    view = district.conductor.create(request("room-a", mode=Mode.OPEN, policy=Policy(record=True, upload=True)))
    assert [room.room for room in view.rooms] == ["room-a"]
    assert [one.device for one in district.post.taken("order")] == ["dev-a"]
    district.hello("a", s_0001=1)
    seen = []
    for state, later_s in ((S.READYING, 0), (S.READY, 5), (S.LIVE, 60), (S.ENDING, 1), (S.SEALED, 60)):
        assert district.report("a", state) == ""
        district.conductor.tick()
        seen.append(district.states()[0])
        district.now += later_s
    assert seen == [S.READYING, S.READY, S.LIVE, S.ENDING, S.SEALED]
    district.conductor.tick()
    assert district.states() == (S.SEALED, S.SEALED), "an upload may take long; nobody else is missed"
    assert district.report("a", S.UPLOADED) == ""
    assert district.states() == (S.UPLOADED, S.UPLOADED)
    assert district.post.sent == [], "nobody is told of anybody"


def test_the_rooms_that_receive_a_master_class_are_shown_as_those_in_which_teachers_watch(district):
    view = district.conductor.create(request("room-a", "room-b", "room-c", mode=Mode.MASTER))
    assert [room.watching for room in view.rooms] == [False, True, True]
    assert not any(room.watching for room in district.conductor.create(request("room-d", mode=Mode.OPEN)).rooms)


def test_the_lone_room_of_an_open_class_that_never_comes_is_said_to_be_missing(district):
    district.conductor.create(request("room-a", mode=Mode.OPEN))
    district.now += 4 + 10
    district.conductor.tick()
    assert "ROOM-A has not begun" in district.conductor.view("s-0001").words
    district.now += 60 + 10
    district.conductor.tick()
    view = district.conductor.view("s-0001")
    assert (view.state, view.words) == (
        S.FAILED,
        "ROOM-A failed: was not heard from during the lesson; see whether its device runs",
    )


def test_peers_are_told_of_every_move_and_of_a_new_life(district):
    district.conductor.create(request("room-a", "room-b", "room-c"))
    district.report("b", S.READY)
    told = district.post.taken("peer")
    assert [(one.device, one.room, one.state) for one in told] == [
        ("dev-a", "room-b", S.READY),
        ("dev-c", "room-b", S.READY),
    ]
    district.report("b", S.READY)
    assert district.post.taken("peer") == []
    district.report("b", S.READY, incarnation="i2")
    assert {one.incarnation for one in district.post.taken("peer")} == {"i2"}


def test_a_report_for_another_room_or_session_is_refused_in_words(district):
    district.conductor.create(request())
    assert "does not stand in room room-a" in district.report("b", S.LIVE, room="room-a")
    assert "does not stand" in district.report("c", S.LIVE)
    assert district.report("a", S.LIVE, session="s-none") == "there is no session s-none"
    assert district.states() == (S.SCHEDULED, S.SCHEDULED, S.SCHEDULED)


def test_a_hello_brings_newer_orders_and_where_the_peers_stand(district):
    district.conductor.create(request())
    district.report("b", S.READY)
    district.restart()
    district.hello("a")
    assert [one.order.rev for one in district.post.taken("order")] == [1]
    assert [(one.device, one.room, one.state) for one in district.post.taken("peer")] == [("dev-a", "room-b", S.READY)]
    district.hello("a", s_0001=1)
    assert district.post.taken("order") == []
    assert district.conductor.view("s-0001").rooms[0].held
    assert district.devices.online("dev-a")


def test_a_device_that_lost_its_orders_gets_them_again(district):
    district.conductor.create(request())
    district.hello("a", s_0001=1)
    district.post.taken("order")
    district.hello("a", incarnation="i2")
    assert [one.order.session for one in district.post.taken("order")] == ["s-0001"]


def test_ending_early_is_a_newer_shorter_order(district):
    district.conductor.create(request())
    with pytest.raises(TooLate, match="cancel it instead"):
        district.conductor.end("s-0001")
    district.now += 14
    for letter in "ab":
        district.report(letter, S.LIVE)
    district.post.taken("order")
    view = district.conductor.end("s-0001")
    assert (view.rev, view.seconds, view.state) == (2, 11.0, S.LIVE)
    assert {(one.order.rev, one.order.seconds) for one in district.post.taken("order")} == {(2, 11.0)}
    district.now += 2
    assert district.conductor.end("s-0001").rev == 2
    assert district.states()[0] is S.ENDING
    district.conductor.create(request())


def test_cancelling_tells_every_room_once_and_again_after_a_restart(district):
    district.conductor.create(request())
    for letter in "ab":
        district.hello(letter, s_0001=1)
    district.post.taken("order")
    view = district.conductor.cancel("s-0001")
    assert (view.state, view.rev) == (S.CANCELLED, 2)
    assert district.conductor.cancel("s-0001").rev == 2
    district.restart()
    district.conductor.tick()
    orders = district.post.taken("order")
    assert {(one.device, one.order.cancelled) for one in orders} == {("dev-a", True), ("dev-b", True)}
    for one in orders:
        district.conductor.answered(one, "")
    assert district.store.sessions.unheld() == []
    assert district.conductor.create(request()).session == "s-0002", "the rooms are free again"


def test_what_is_over_cannot_be_cancelled_and_what_is_unknown_not_at_all(district):
    district.conductor.create(request())
    district.now += 100
    with pytest.raises(TooLate, match="is over"):
        district.conductor.cancel("s-0001")
    for act in (district.conductor.cancel, district.conductor.end):
        with pytest.raises(SessionUnknown, match="s-none"):
            act("s-none")
    assert district.conductor.view("s-none") is None


def offer(letter="b", to="room-a", sender=None, session="s-0001"):
    sender = sender or f"room-{letter}"
    return Offer(
        device=f"dev-{letter}", session=session, sender=sender, to=to, attempt="x", sdp="v=0", tracks={"0": "mic"}
    )


def test_offers_and_answers_are_passed_on_between_the_rooms_of_a_session(district):
    district.conductor.create(request())
    assert district.conductor.handle(offer(), district.now) == ""
    assert district.post.taken("offer") == [offer().model_copy(update={"device": "dev-a"})]
    answer = Answer(device="dev-a", session="s-0001", sender="room-a", to="room-b", attempt="x", sdp="v=0")
    assert district.conductor.handle(answer, district.now) == ""
    assert [one.device for one in district.post.taken("answer")] == ["dev-b"]


@pytest.mark.parametrize(
    "signal, words",
    [
        (offer(session="s-none"), "there is no session"),
        (offer("c"), "does not stand in room room-c of s-0001"),
        (offer("b", sender="room-a"), "does not stand in room room-a"),
        (offer("b", to="room-d"), "room room-d has no part"),
        (offer("b", to="room-b"), "offers go from a receiving room to a lead room"),
        (offer("a", to="room-b"), "offers go from a receiving room to a lead room"),
        (
            Answer(device="dev-b", session="s-0001", sender="room-b", to="room-a", attempt="x", sdp=""),
            "answers go from a lead room",
        ),
        (Clock(device="dev-b", t1_ns=1), "does not take a clock"),
    ],
)
def test_what_may_not_be_passed_on_is_refused_in_words(district, signal, words):
    district.conductor.create(request())
    district.post.taken("order")
    assert words in district.conductor.handle(signal, district.now)
    assert district.post.sent == []


def test_nothing_is_passed_on_when_the_session_is_over_or_called_off(district):
    district.conductor.create(request())
    district.now += 75
    assert "is over" in district.conductor.handle(offer(), district.now)
    district.now = START
    district.conductor.cancel("s-0001")
    assert "called off" in district.conductor.handle(offer(), district.now)


def test_a_room_that_never_comes_fails_in_words_and_the_operator_sees_it_without_asking(district):
    district.conductor.create(request())
    for state in (S.READY, S.LIVE, S.ENDING, S.SEALED):
        district.report("a", state)
    district.now += 80
    district.changed.clear()
    district.conductor.tick()
    view = district.conductor.view("s-0001")
    assert view.state is S.FAILED
    assert "ROOM-B failed: was not heard from" in view.words
    assert district.changed == ["s-0001"]
    assert district.store.sessions.get("s-0001").state is S.FAILED
    district.report("b", S.SEALED)
    assert district.states()[0] is S.SEALED


def test_a_receipt_makes_a_room_uploaded_and_is_kept(district):
    district.conductor.create(request())
    for letter in "ab":
        district.report(letter, S.SEALED)
    receipt = sign(
        Receipt(session="s-0001", room="room-a", device="dev-a", stored=1.0, files=()), new_hub_key(), START, 60.0
    )
    district.conductor.receipt_given("s-0001", "room-a", receipt)
    district.restart()
    assert district.conductor.receipt("s-0001", "room-a") == receipt
    assert district.conductor.receipt("s-0001", "room-b") is None
    view = district.conductor.view("s-0001")
    assert [(room.state, room.receipt) for room in view.rooms] == [(S.UPLOADED, True), (S.SEALED, False)]
    with pytest.raises(SessionUnknown):
        district.conductor.receipt_given("s-0001", "room-x", receipt)


def test_orders_reach_a_room_as_signals_of_the_contract(district):
    district.conductor.create(request())
    order = district.post.taken("order")[0]
    assert Order.model_validate_json(order.model_dump_json()) == order


def test_session_ids_are_of_the_contracts_form():
    from pydantic import TypeAdapter

    from contract.model import SessionId

    assert TypeAdapter(SessionId).validate_python(new_session_id(0.0)).startswith("s-19700101-")
