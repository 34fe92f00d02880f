"""Why a test may be skipped even where CI installs everything (CIFAR_PIPELINE_NO_SKIP)."""

# Begins the reason of such a skip: the kernel or its settings forbid what the test needs, and no
# installation brings it.
NOT_HERE = "not on this system"
