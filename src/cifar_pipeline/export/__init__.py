"""The command `cifar-pipeline export`."""
