"""The schemas of params.yaml, one module a section."""
