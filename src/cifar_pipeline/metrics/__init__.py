"""Measures of a classifier, functions of probabilities and labels."""
