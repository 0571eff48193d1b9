"""What is wrong with a file, and where exactly."""

from dataclasses import dataclass

from hub.schedule.register.words import Words, words


@dataclass(frozen=True, slots=True)
class Where:
    """A place in a file."""

    file: str
    sheet: str = ""
    """The worksheet, or the file inside an archive; empty where the file has but one."""
    row: int = 0
    """From 1, as a spreadsheet counts; a line for files that are no tables. 0 for the file as a whole."""
    column: str = ""
    """The column's own header, or the name of what is wrong; empty for the row as a whole."""

    def told(self, language: str) -> str:
        """As people look for it."""
        parts = [self.file]
        if self.sheet:
            parts.append(words("where.sheet", sheet=self.sheet).told(language))
        if self.row:
            parts.append(words("where.row", row=self.row).told(language))
        if self.column:
            parts.append(words("where.column", column=self.column).told(language))
        return words("where.between").told(language).join(parts)


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing that is wrong, or worth knowing, at one place."""

    where: Where
    what: Words

    def told(self, language: str) -> str:
        """Place and sentence."""
        return words("where.told", where=self.where.told(language), what=self.what).told(language)


class CellWrong(ValueError):
    """A cell does not hold what is expected; `what` says what was found and what is expected."""

    def __init__(self, what: Words) -> None:
        super().__init__(what.told("en"))
        self.what = what


class FileWrong(ValueError):
    """A file cannot be read at all."""

    def __init__(self, mistake: Mistake) -> None:
        super().__init__(mistake.told("en"))
        self.mistake = mistake


def file_wrong(file: str, key: str, **values: "str | int | Words") -> FileWrong:
    """The refusal of a whole file."""
    return FileWrong(Mistake(Where(file), words(key, **values)))
