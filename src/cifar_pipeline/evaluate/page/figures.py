"""The page's figures, drawn by Matplotlib as SVG that follows the page's colours and font.

The same numbers give the same bytes: no dates, and names from a fixed salt.
"""

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape

import numpy as np
import pandas as pd
from matplotlib import style
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from cifar_pipeline.evaluate.mixed_images import ALPHAS, Interpolation

# Stand-ins for variables of the page's style sheet, which has a light and a dark value for each.
# No other part of a figure has these colours.
_COLOURS = {
    "#000001": "var(--ink)",
    "#000002": "var(--muted)",
    "#000003": "var(--line)",
    "#000004": "var(--first)",
    "#000005": "var(--second)",
    "#000006": "var(--panel)",
}
_INK, _MUTED, _LINE, _FIRST, _SECOND, _PANEL = _COLOURS
_MOST_NUMBERED = 25  # classes at most, in a confusion matrix with numbers
_LARGEST = 14.0  # side of a confusion matrix, in inches
_POINTS = 72  # in an inch
_LONGEST_NAME = 32  # characters; a longer one would leave no room for what is drawn
_STYLE = {
    "axes.axisbelow": True,
    "axes.edgecolor": _LINE,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.labelcolor": _MUTED,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": _INK,
    "axes.titlesize": 11,
    "figure.facecolor": "none",
    "font.size": 10,
    "grid.color": _LINE,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "legend.labelcolor": _INK,
    "svg.fonttype": "none",  # text stays text, in the page's font
    "text.parse_math": False,  # a class may be named $5
    "text.color": _INK,
    "xtick.color": _LINE,
    "xtick.labelcolor": _MUTED,
    "ytick.color": _LINE,
    "ytick.labelcolor": _MUTED,
}


@contextmanager
def _drawing(name: str, width: float, height: float) -> Iterator[tuple[Figure, list[str]]]:
    """Yield a figure, and a list to which its SVG is added at the end of the block.

    Args:
        name: what the figure shows, for screen readers.
        width: in inches.
        height: in inches.
    """
    drawn: list[str] = []
    with (
        # Independent of the user's matplotlibrc; the salt gives each figure ids of its own.
        style.context(["default", {**_STYLE, "svg.hashsalt": name}]),
        warnings.catch_warnings(),
    ):
        # Matplotlib measures text in its own font; the browser shows it in fonts with more glyphs.
        warnings.filterwarnings("ignore", r"Glyph \d+ .* missing from font")
        # Without pyplot, which keeps every figure and looks for a screen.
        figure = Figure(figsize=(width, height), layout="constrained")
        yield figure, drawn
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    drawn.append(_inline(buffer.getvalue(), name))


def _inline(svg: str, name: str) -> str:
    """Return the <svg> element alone, without a fixed width, and with ids that no other has."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    # The ids of Matplotlib's groups repeat from figure to figure, and nothing refers to them.
    svg = re.sub(r' id="(?!m|p|[0-9a-f]{8})[A-Za-z0-9_.]+"', "", svg)
    svg = re.sub(r' id="(?:matplotlib\.axis|patch|legend|figure|axes|text|line2d)_\d+"', "", svg)
    svg = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", svg)
    svg = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", svg)
    svg = re.sub(r"font-family: [^;\"]*", "font-family: inherit", svg)
    for stand_in, colour in _COLOURS.items():
        svg = svg.replace(stand_in, colour)
    return svg.replace("<svg", f'<svg role="img" aria-label="{escape(name)}"', 1)


def _shortened(name: str) -> str:
    """Return the name of a class as it fits a figure; the page's tables have it whole."""
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}\u2026"


def learning_curve(history: pd.DataFrame, measure: str, best_epoch: int) -> str:
    """Draw the learning curve of training and validation.

    Args:
        history: history.csv of train.
        measure: "loss" or "accuracy".
        best_epoch: the epoch whose weights were saved; a dotted line marks it.
    """
    with _drawing(f"Learning curve: {measure}", 4.6, 3) as (figure, drawn):
        axes = figure.subplots()
        for column, label, colour in (
            (measure, "training", _FIRST),
            (f"val_{measure}", "validation", _SECOND),
        ):
            known = history.dropna(subset=column)  # some epochs may have no validation
            axes.plot(known["epoch"], known[column], "o-", color=colour, label=label, ms=3)
        axes.axvline(best_epoch, color=_MUTED, linewidth=0.8, linestyle=":")
        axes.set(title=measure, xlabel="epoch (dotted: the saved one)")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        axes.legend()
    return drawn[0]


def confusion(matrix: np.ndarray, names: tuple[str, ...]) -> str:
    """Draw the confusion matrix: the stronger the colour of a cell, the more errors it counts.

    Args:
        matrix: int64 (classes, classes), row: actual class.
        names: the names of the classes; with more than 25 the cells have no numbers.
    """
    errors = matrix - np.diag(matrix.diagonal())
    side = min(max(5.6, 0.3 * len(names)), _LARGEST)
    with _drawing("Confusion matrix", side + 0.8, side) as (figure, drawn):
        axes = figure.subplots()
        axes.grid(visible=False)
        most = max(int(errors.max()), 1)
        places = range(len(names))
        for row, column in np.argwhere(matrix):
            if row != column:
                # The root makes small counts visible beside large ones.
                shade = float(np.sqrt(errors[row, column] / most))
                corner = (column - 0.5, row - 0.5)
                axes.add_patch(Rectangle(corner, 1, 1, facecolor=_SECOND, alpha=0.85 * shade))
            if len(names) <= _MOST_NUMBERED:
                axes.text(
                    column,
                    row,
                    f"{matrix[row, column]:,}",
                    ha="center",
                    va="center",
                    color=_MUTED if row == column else _INK,
                    fontsize=8,
                )
        size = min(10, 0.6 * _POINTS * side / len(names))
        labels = [_shortened(name) for name in names]
        turned = 45 if size == 10 else 90
        axes.set_xticks(places, labels, rotation=turned, ha="right", fontsize=size)
        axes.set_yticks(places, labels, fontsize=size)
        axes.set(xlabel="predicted", ylabel="actual")
        axes.set_xlim(-0.5, len(names) - 0.5)
        axes.set_ylim(len(names) - 0.5, -0.5)
        axes.tick_params(length=0)
    return drawn[0]


def reliability_diagram(table: pd.DataFrame, title: str) -> str:
    """Draw a reliability diagram: accuracy against confidence, by bins of confidence.

    Args:
        table: from `calibration.reliability`.
        title: the title of the diagram.
    """
    filled = table[table["images"] > 0]
    with _drawing(f"Reliability {title}", 4.6, 3.6) as (figure, drawn):
        axes = figure.subplots()
        width = float(table["to"][0] - table["from"][0])
        axes.bar(
            filled["from"],
            filled["accuracy"],
            width,
            align="edge",
            color=_FIRST,
            edgecolor=_PANEL,
        )
        axes.plot([0, 1], [0, 1], color=_INK, linewidth=1, linestyle="--")
        axes.plot(filled["confidence"], filled["accuracy"], "o", color=_SECOND, ms=4)
        axes.set(title=title, xlabel="confidence", ylabel="accuracy", xlim=(0, 1), ylim=(0, 1.02))
    return drawn[0]


def interpolation_curves(interpolation: Interpolation, names: tuple[str, ...]) -> str:
    """Draw the probabilities of both source classes, and of the likeliest other one, by alpha."""
    one, other = interpolation.sources.classes
    names = tuple(map(_shortened, names))
    curves = [
        (interpolation.probabilities[:, one], names[one], _FIRST),
        (interpolation.probabilities[:, other], names[other], _SECOND),
    ]
    if len(names) > 2:
        rest = np.delete(interpolation.probabilities, [one, other], axis=1).max(axis=1)
        curves.append((rest, "likeliest other", _MUTED))
    title = f"{names[one]} to {names[other]}"
    with _drawing(f"Blend of {title}", 4.2, 2.6) as (figure, drawn):
        axes = figure.subplots()
        lines = [axes.plot(ALPHAS, values, color=colour)[0] for values, _, colour in curves]
        axes.set(xlabel=f"alpha, the weight of {names[other]}", ylim=(0, 1), xlim=(0, 1))
        # Passed here because Matplotlib leaves out lines whose own label begins with "_".
        axes.legend(lines, [label for _, label, _ in curves], fontsize=8)
    return drawn[0]
