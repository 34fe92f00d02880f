"""`python -m cifar_pipeline`, and the console script `cifar-pipeline`."""

from cifar_pipeline.common.start import RUN_AGAIN, start_program


def main() -> None:
    """Run the command that the arguments name."""
    start_program(RUN_AGAIN)
    from cifar_pipeline.cli import main as run  # late: Ctrl-C during imports is one line, too

    run()


if __name__ == "__main__":
    main()
