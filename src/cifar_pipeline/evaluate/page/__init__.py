"""The page of results and the model card: templates, figures, galleries, provenance."""

import os

# Users' choices for figures on a screen and for dates, of which there are none here. Matplotlib
# refuses those that are misspelt.
for _name in ("MPLBACKEND", "SOURCE_DATE_EPOCH"):
    os.environ.pop(_name, None)
