"""Zip archives as schools send them, and as nobody should: broken, with a password, or endless once unpacked."""

import lzma
import struct
import zipfile
import zlib

from hub.schedule.imports.mistakes import file_wrong

BROKEN_ARCHIVE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    LookupError,
    ValueError,  # also names that are no text
    EOFError,
    OSError,
    RuntimeError,
    NotImplementedError,
)
"""What zipfile raises over bytes that are no archive any more."""
UNPACKED_ROW_BYTES = 2_560
"""Unpacked, an archive may have so many bytes for each row that a sheet may have."""


def parts_of(archive: zipfile.ZipFile, file: str, most_parts: int, most_rows: int) -> list[zipfile.ZipInfo]:
    """What an archive holds; what the directory says of a part's size is all that is ever unpacked of it.

    Raises:
        FileWrong: unpacked it would be too much, or it has a password.
    """
    parts = archive.infolist()
    most_bytes = most_rows * UNPACKED_ROW_BYTES
    if len(parts) > most_parts or sum(one.file_size for one in parts) > most_bytes:
        raise file_wrong(file, "file.bomb", mib=most_bytes >> 20)
    if any(one.flag_bits & 1 for one in parts):
        raise file_wrong(file, "file.encrypted")
    return parts
