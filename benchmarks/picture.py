"""Draw README's picture from the last run: `PYTHONPATH=src python benchmarks/picture.py`."""

import io
import re
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console
from rich.terminal_theme import MONOKAI

from cifar_pipeline.classes import CLASS_NAMES
from cifar_pipeline.error_printing import print_errors

PICTURE = Path("docs/result.svg")

predictions = pd.read_csv("reports/predictions.csv")
probabilities = predictions[[f"p_{name}" for name in CLASS_NAMES]].to_numpy(np.float32)
labels = predictions["label"].map(CLASS_NAMES.index).to_numpy(np.uint8)
console = Console(record=True, width=100, file=io.StringIO(), force_terminal=True, highlight=False)
print_errors(probabilities, labels, 5, console)
svg = console.export_svg(title="dvc repro evaluate", theme=MONOKAI, unique_id="result")
# Rich points at fonts of a content network; the reader's own monospaced font does as well.
svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
PICTURE.parent.mkdir(exist_ok=True)
PICTURE.write_text(svg)
print(f"{PICTURE} written")
