"""The stage train."""
