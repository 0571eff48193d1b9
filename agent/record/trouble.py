"""What can go wrong in recording, each with a sentence that an operator can act on."""


class RecordTrouble(Exception):
    """Something about a recording needs a person; the message says what.

    RecordTrouble
    ├── PackageUnusable   a package on disk cannot be read or added to
    ├── SealFailed        the manifest could not be written; the files are kept and sealing can be tried again
    ├── UploadFailed      the hub could not be reached or did not take a file; tried again later
    └── ReceiptWrong      the hub's receipt does not fit what is on disk; the recording is kept
    """


class PackageUnusable(RecordTrouble):
    """A package on disk cannot be read or added to."""


class SealFailed(RecordTrouble):
    """The manifest could not be written; the files are kept."""


class UploadFailed(RecordTrouble):
    """The hub could not be reached, or did not take a file."""


class ReceiptWrong(RecordTrouble):
    """The hub's receipt does not fit what is on disk."""
