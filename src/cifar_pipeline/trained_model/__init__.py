"""The model on disk, and its outputs for images."""
