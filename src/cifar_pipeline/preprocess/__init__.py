"""The stage preprocess."""
