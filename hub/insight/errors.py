"""Why chapters are not changed as asked."""

from enum import StrEnum

from hub.store.chapters import ChapterListRecord


class Unfit(StrEnum):
    """What is wrong with a list of chapters, for whoever says it in another language."""

    NONE = "none"
    """There is no chapter in it."""
    MANY = "many"
    """There are more than a list may hold."""
    FIRST = "first"
    """The first one does not begin with the lesson."""
    ORDER = "order"
    """One does not begin after the one before it."""
    OUTSIDE = "outside"
    """One begins outside the lesson."""
    TITLE = "title"
    """A title is empty, too long, or holds signs that nobody can see."""


class ChaptersRefused(Exception):
    """Chapters that are not changed as asked; `what_to_do` is a sentence for whoever asked.

    ChaptersRefused
    ├── ChaptersUnfit      the list is not one of chapters of this lesson
    ├── ChaptersChanged    somebody else changed them since they were looked at
    ├── NothingRecorded    no recording of the lesson is here yet
    └── LessonDeleted      its recordings were deleted, and its chapters with them
    """

    def __init__(self, words: str, what_to_do: str) -> None:
        super().__init__(words)
        self.what_to_do = what_to_do


class ChaptersUnfit(ChaptersRefused):
    """The list is not one of chapters of this lesson."""

    def __init__(self, reason: Unfit, words: str, row: int | None = None) -> None:
        super().__init__(words if row is None else f"row {row}: {words}", "mend the row named, then save again")
        self.reason = reason
        self.row = row
        """From 1; None where it is the list as a whole."""


class ChaptersChanged(ChaptersRefused):
    """Somebody else changed them since they were looked at."""

    def __init__(self, newest: ChapterListRecord) -> None:
        by = f" by {newest.editor}" if newest.edited else ""
        super().__init__(
            f"the chapters of {newest.session} were changed{by} since you looked at them: they are at revision "
            f"{newest.rev} now",
            "look at the newer list, which is in this answer, and make your change in it",
        )
        self.newest = newest


class NothingRecorded(ChaptersRefused):
    """No recording of the lesson is here yet."""


class LessonDeleted(ChaptersRefused):
    """Its recordings were deleted, and its chapters with them."""
