"""What CIFAR-10 is, its file formats, and the arrays that the stages share."""
