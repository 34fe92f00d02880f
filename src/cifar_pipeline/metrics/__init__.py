"""Metrics of a classifier: functions of probabilities and labels, and their registry."""
