"""Start Keras' backend without its start-up notes."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

_LEVEL = "TF_CPP_MIN_LOG_LEVEL"


def quiet_backend() -> None:
    """Import Keras and find its devices with TensorFlow's notes kept off the terminal.

    TensorFlow 2.21 prints some of them whatever its log level says. Where the user has set
    TF_CPP_MIN_LOG_LEVEL, everything shows; when the start fails, so does what was kept back.
    """
    if _LEVEL in os.environ:
        return
    os.environ[_LEVEL] = "2"
    with _standard_error_kept_back():
        import keras

        keras.distribution.list_devices()


@contextmanager
def _standard_error_kept_back() -> Iterator[None]:
    """Send file descriptor 2, which C++ writes to, into a file; print that if the block fails."""
    sys.stderr.flush()
    terminal = os.dup(2)
    with tempfile.TemporaryFile() as kept:
        os.dup2(kept.fileno(), 2)
        try:
            yield
        except BaseException:
            kept.seek(0)
            os.write(terminal, kept.read())
            raise
        finally:
            sys.stderr.flush()
            os.dup2(terminal, 2)
            os.close(terminal)
