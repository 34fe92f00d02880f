"""Sources of data and a cache of their own for the tests of downloads."""

from download_fixtures import (  # noqa: F401 (fixtures)
    archive,
    batches,
    cache,
    check,
    choose,
    ends,
    folder,
    hashes,
    npm,
    raw,
    server,
)
