"""The command `cifar-pipeline predict`."""
