"""The page of results and the model card: templates, figures, galleries, provenance."""

import os

# A user's choice for figures on a screen, of which there are none here. Matplotlib cannot be
# imported where it is misspelt.
os.environ.pop("MPLBACKEND", None)
