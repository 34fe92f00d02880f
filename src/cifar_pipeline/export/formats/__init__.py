"""The export formats: one module a format, what they share, and their registry."""
