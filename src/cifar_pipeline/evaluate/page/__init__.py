"""The page of results: figures, galleries, the template, and what goes into it."""
