"""Draw README's picture: what `evaluate` prints of the last run. `python benchmarks/picture.py`."""

import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from common import ROOT
from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

PICTURE = ROOT / "docs/result.svg"
WIDTH = 100

with tempfile.TemporaryDirectory() as scratch:
    reports = Path(scratch) / "reports"
    shutil.copytree(ROOT / "reports", reports)
    done = subprocess.run(
        [sys.executable, "stages/evaluate.py", "--reports", str(reports)],
        cwd=ROOT,
        env={**os.environ, "FORCE_COLOR": "1", "COLUMNS": str(WIDTH)},
        stdout=subprocess.PIPE,
        check=True,
        encoding="utf-8",
    )
# Its last line names the page in the scratch folder.
printed = done.stdout.splitlines()[:-1]
console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
console.print(Text.from_ansi("\n".join(printed)))
svg = console.export_svg(title="dvc repro evaluate", theme=MONOKAI, unique_id="result")
# Rich points at fonts of a content network; the reader's own monospaced font does as well.
svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
PICTURE.parent.mkdir(exist_ok=True)
PICTURE.write_text(svg, encoding="utf-8")
print(f"{PICTURE.relative_to(ROOT)} written")
