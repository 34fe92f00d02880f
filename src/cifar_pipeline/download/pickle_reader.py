"""Read a batch of the Python version of CIFAR-10 without executing its pickle.

Unpickling runs whatever code a file names. `pickletools.genops` only lists the instructions, and
the labels and the pixels of a batch stand among them as plain integers and one plain string.
"""

import pickletools

from cifar_pipeline.dataset.binary_format import RECORD_BYTES
from cifar_pipeline.dataset.cifar10 import CLASS_NAMES
from cifar_pipeline.download.errors import ArchiveError

PIXEL_BYTES = RECORD_BYTES - 1
INTEGERS = ("BININT1", "BININT2", "BININT", "INT")
# What stands between the items of a list: marks, memo entries, and the end of a block of items.
LIST_PARTS = ("EMPTY_LIST", "MARK", "PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE", "APPEND", "APPENDS")


def batch_from_pickle(content: bytes) -> bytes:
    """Return the official binary batch of the pickled dictionary `content`.

    The dictionary has under `labels` a list of N integers and under `data` an array (N, 3072),
    uint8, whose bytes are the one string of N * 3072 bytes in the file.

    Raises:
        ArchiveError: no such labels or no such string.
    """
    labels: list[int] = []
    strings: list[str | bytes] = []
    in_labels = False
    try:
        for opcode, argument, _ in pickletools.genops(content):
            if isinstance(argument, str | bytes):
                in_labels = not labels and argument in ("labels", b"labels")
                if len(argument) >= PIXEL_BYTES:
                    strings.append(argument)
            elif in_labels and opcode.name in INTEGERS and isinstance(argument, int):
                labels.append(argument)
            elif opcode.name not in LIST_PARTS:
                in_labels = False
    except ValueError as error:
        raise ArchiveError(f"no readable pickle ({str(error).splitlines()[0]})") from None
    pixels = [string for string in strings if len(string) == len(labels) * PIXEL_BYTES]
    if not labels or len(pixels) != 1:
        raise ArchiveError(
            f"a pickle with {len(labels)} labels and {len(pixels)} strings of"
            f" {len(labels) * PIXEL_BYTES:,} bytes, one was expected"
        )
    if not all(0 <= label < len(CLASS_NAMES) for label in labels):
        raise ArchiveError(f"a label that is not 0 to {len(CLASS_NAMES) - 1}")
    # genops decodes the strings of Python 2 as Latin-1, which maps every byte to itself.
    data = pixels[0].encode("latin-1") if isinstance(pixels[0], str) else pixels[0]
    rows = (data[start : start + PIXEL_BYTES] for start in range(0, len(data), PIXEL_BYTES))
    return b"".join(bytes([label]) + row for label, row in zip(labels, rows, strict=True))
