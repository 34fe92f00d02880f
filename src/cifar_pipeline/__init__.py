"""A reproducible CIFAR-10 pipeline: download, preprocess, train, evaluate."""

from cifar_pipeline.common.streams import occupy_closed_descriptors

# First of all: a file that is opened gets the lowest number that is free, 2 where standard error
# is closed, and whatever writes to standard error would write into that file.
occupy_closed_descriptors()
