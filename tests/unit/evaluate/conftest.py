"""What tests of `evaluate` share."""

from typing import Any, TextIO

import pytest
from matplotlib.figure import Figure


@pytest.fixture
def blank_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let figures be laid out by nobody, for tests of what stands beside them: they take a second.

    tests/unit/evaluate/page/test_figures.py looks at figures.
    """

    def blank(_figure: Figure, file: TextIO, **_options: Any) -> None:
        file.write("<svg></svg>")

    monkeypatch.setattr(Figure, "savefig", blank)
