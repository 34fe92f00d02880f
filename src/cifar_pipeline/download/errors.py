"""Why a source of CIFAR-10 was given up. Each message is one line without the source's name."""

_LONGEST = 400


class SourceError(Exception):
    """A source cannot give the files: the next one is tried.

    What a server has sent may stand in the message, which is cut.
    """

    def __init__(self, message: object = "") -> None:
        text = str(message)
        super().__init__(text if len(text) <= _LONGEST else f"{text[:_LONGEST]}...")


class TooSlowError(SourceError):
    """A source sends bytes, yet too few of them; worth another try where nothing else answers."""


class ArchiveError(SourceError):
    """An archive arrived whole but does not hold the official files: it is not worth keeping."""


class UnreadableError(ArchiveError):
    """An archive cannot be read on this machine, now: it may be a good one."""


class OtherFilesError(ArchiveError):
    """An archive is whole, and its files are others than `download.sha256` names."""
