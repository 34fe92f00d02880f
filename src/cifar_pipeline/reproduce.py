"""DVC for `make repro`: it ends well although a line of its own cannot be printed.

Left alone, `dvc repro` ends in a traceback where its standard output is full, in the middle of the
pipeline perhaps, and where its standard error is closed.
"""

import os
import sys

from cifar_pipeline.common.streams import drop_what_cannot_be_printed


def main() -> None:
    """Run `dvc repro`; the Makefile alone calls this."""
    drop_what_cannot_be_printed()
    os.environ.pop("PYTHONPATH", None)  # make's, for this module: none of a stage
    from dvc.cli import main as dvc

    sys.exit(dvc(["repro"]))


if __name__ == "__main__":
    main()
