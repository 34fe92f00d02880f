"""`python -m cifar_pipeline`: the same as the console script `cifar-pipeline`."""

from cifar_pipeline.cli import main

main()
