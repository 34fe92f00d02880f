"""The ConvNet that is trained, from parameters."""
