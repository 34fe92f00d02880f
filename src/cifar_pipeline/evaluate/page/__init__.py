"""The page of results and the model card: templates, figures, galleries, provenance."""
