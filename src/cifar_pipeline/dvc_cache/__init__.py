"""Damage in DVC's cache: found, named and mended."""
