"""A reproducible CIFAR-10 pipeline: download, preprocess, train, evaluate."""
