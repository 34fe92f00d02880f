"""From any source of CIFAR-10 to the six official files."""
