"""Logins and tokens in addresses: nothing that is printed shows them.

As a program, `python -m cifar_pipeline.common.credentials FILE`, it is a filter of lines, which
also writes them to a file.
"""

import re
import sys
from pathlib import Path

from cifar_pipeline.common.streams import drop_what_cannot_be_printed

HIDDEN = "***"
# Of scheme://LOGIN@host. A password may hold "/" or "@" where somebody forgot to escape it, but
# what begins with a port, as in https://host:443/@scope/package, is no password.
_LOGIN = re.compile(r"(://)(?:[^\s/?#'\"@]*@|[^\s/?#'\"@:]+:(?!\d+[/?#])[^\s'\"]*@)+")
# All values of a query: any of them may be a token or a signature.
_QUERY = re.compile(r"(\?[^\s?=&'\"]+=)[^\s'\"()<>]*")
_HEADER = re.compile(
    r"((?:authorization: *(?:\w+ +)?)|_auth\w*=|_password=)[^\s'\"]+", re.IGNORECASE
)


def masked(text: str) -> str:
    """Return `text` with `***` for logins and for the values of queries in its addresses."""
    text = _LOGIN.sub(rf"\1{HIDDEN}@", text)
    text = _QUERY.sub(rf"\1{HIDDEN}", text)
    return _HEADER.sub(rf"\1{HIDDEN}", text)


def holds_login(address: str) -> bool:
    """Say whether an address has a user or a password in it."""
    return bool(_LOGIN.search(address))


if __name__ == "__main__":
    drop_what_cannot_be_printed()
    with Path(sys.argv[1]).open("w", encoding="utf-8") as copy:
        for line in sys.stdin.buffer:
            text = masked(line.decode(errors="backslashreplace"))
            print(text, end="", flush=True)
            copy.write(text)
