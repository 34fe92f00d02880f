"""The environment that Keras starts in. This module imports no Keras: it comes before that."""

import os


def quiet_backend() -> None:
    """Keep TensorFlow's notes on its start-up off the terminal; its errors still show.

    Call it before the first `import keras`. A level that the user has set stays.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
