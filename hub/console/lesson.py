"""The lesson page's contents: what is missing in words, and the timeline as a drawing."""

from markupsafe import Markup, escape

from contract.session import Policy
from hub.archive.playback import Missing, Playback, RoomPlayback, Track
from hub.console.texts import Texts
from hub.console.words import size, span, when

LANE_HEIGHT = 30
SHORTEST_S = 0.15
"""A shorter turn is drawn this long, or it could not be seen."""


def screens(lesson: Playback) -> list[tuple[RoomPlayback, Track]]:
    """What is shown side by side: every room's camera first, then whatever else was recorded."""
    every = [(room, track) for room in lesson.rooms for track in room.tracks]
    return sorted(every, key=lambda one: one[1].track != "camera")


def staged(lesson: Playback) -> bool:
    """Whether the slides stand large, with both rooms beside them; with more rooms all are of one size."""
    return sorted(track.track for _, track in screens(lesson)) == ["camera", "camera", "slides"]


def missing_words(lesson: Playback, policy: Policy, t: Texts) -> list[str]:
    """What a viewer would look for and not find, a sentence each."""
    lines: list[str] = []
    for room in lesson.rooms:
        if room.deleted is not None:
            note = room.deleted
            lines.append(t("lesson.deleted", room=room.name, when=when(note.at), size=size(note.bytes)))
        elif not room.files:
            key = "lesson.not_arrived" if policy.upload else "lesson.no_upload"
            lines.append(t(key, room=room.name))
        lines += [_gap_words(room, gap, t) for gap in room.gaps]
        lines += [f"{room.name}: {t.said(words)}" for words in room.words]
        if room.clock == "wall":
            lines.append(t("lesson.wall_clock", room=room.name))
    return lines


def _gap_words(room: RoomPlayback, gap: Missing, t: Texts) -> str:
    key = f"lesson.track.{gap.track}"
    name = t(key) if t.has(key) else gap.track
    why = t(f"gap.{gap.reason}") if gap.reason else gap.why
    return t("lesson.gap_words", room=room.name, track=name, start=span(gap.start_t), end=span(gap.end_t), why=why)


def lane(room: RoomPlayback, seconds: float, t: Texts) -> Markup:
    """One room's timeline as an SVG drawing, its width the lesson in seconds."""
    shapes = [
        f'<rect class="turn" x="{turn.t:.2f}" y="8" width="{max(turn.seconds, SHORTEST_S):.2f}" height="14"></rect>'
        for turn in room.speech
    ]
    shapes += [
        f'<rect class="gap" x="{gap.start_t:.2f}" width="{gap.end_t - gap.start_t:.2f}" height="{LANE_HEIGHT}"></rect>'
        for gap in room.gaps
    ]
    shapes += [
        f'<line class="slide" x1="{slide.t:.2f}" x2="{slide.t:.2f}" y1="0" y2="{LANE_HEIGHT}"></line>'
        for slide in room.slides
    ]
    shapes.append(f'<line class="now" x1="0" x2="0" y1="0" y2="{LANE_HEIGHT}"></line>')
    told = t("lesson.speech_total", minutes=span(sum(turn.seconds for turn in room.speech)))
    label = escape(f"{room.name}: {t('lesson.timeline')}. {told}. {t('lesson.slides_total', count=len(room.slides))}")
    pattern = (
        f'<defs><pattern id="gap" width="{seconds / 150:.3f}" height="6" patternUnits="userSpaceOnUse">'
        f'<rect width="{seconds / 300:.3f}" height="6" fill="#8593a6"></rect></pattern></defs>'
    )
    head = f'<svg viewBox="0 0 {seconds:g} {LANE_HEIGHT}" preserveAspectRatio="none" role="img" aria-label="'
    # Everything in the shapes is a number of ours; the label is the only text and is escaped.
    return Markup(head) + label + Markup('">' + pattern + "".join(shapes) + "</svg>")  # noqa: S704
