"""Write README's table of results and docs/results.md: `make benchmark`, after `make repro`.

First it measures what results.json lacks on this kind of processor for today's parameters, data,
versions and bits. With everything to be measured that takes hours on two cores, so the presets run
in the order of their cost. `make benchmark ARGS="--only fast --only stage_times"` measures no other
presets and scripts. `make benchmark ARGS=--known` measures nothing, on any machine, and needs no
data.
"""

import sys
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from accuracy import collect, setting_of_run
from common import ROOT, in_a_process
from records import Checkout, commit, recorded
from results_page import all_tables, readme_table

README = ROOT / "README.md"
RESULTS_PAGE = ROOT / "docs/results.md"
BEGIN, END = "<!-- results: `make benchmark` -->\n", "<!-- /results -->\n"
HERE = Path(__file__).parent
# Preset, seeds, whether on all 50,000 images.
RUNS = (
    ("quick", 3, False),
    ("fast", 5, False),
    ("accurate", 1, False),
    ("accurate", 3, True),
    ("best", 1, True),
)
# Scripts, and the preset that each takes.
SCRIPTS = {"time_to_accuracy": "quick", "efficiency": "accurate", "scaling": "fast"}
STAGE_TIMES = "stage_times"
EVERYTHING = list(dict.fromkeys([*(preset for preset, *_ in RUNS), *SCRIPTS, STAGE_TIMES]))


def measure(wanted: list[str]) -> None:
    """Measure what results.json lacks of the wanted presets and scripts."""
    from cifar_pipeline.params.loading import read_yaml

    for preset, seeds, all_images in RUNS:
        if preset in wanted:
            collect(preset, range(1, seeds + 1), all_images)
    for script, preset in SCRIPTS.items():
        if script in wanted:
            _measure_with(script, preset, 1, "--preset", preset)
    if STAGE_TIMES in wanted:
        # The model that lies in models/. Its stages' seconds change with code that moves no bit.
        chosen = read_yaml(ROOT / "params.yaml")["train"]
        _measure_with(STAGE_TIMES, chosen["model"], chosen["seed"], commit=commit())


def _measure_with(script: str, preset: str, seed: int, *arguments: str, **in_key: str) -> None:
    """Let a benchmark measure, where results.json lacks its record."""
    setting = setting_of_run(preset, seed, all_images=False)
    setting["key"] |= {"measured": script, **in_key}
    recorded(setting, partial(in_a_process, str(HERE / f"{script}.py"), *arguments))


def with_tables(text: str, tables: str, name: str) -> str:
    """Return the text of the file `name` with other tables between its marks."""
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        sys.exit(f"{name} must hold the lines {BEGIN.strip()} and {END.strip()} once each")
    before, rest = text.split(BEGIN)
    return before + BEGIN + tables + END + rest.split(END)[1]


def pages() -> dict[Path, str]:
    """Return the text of README and of docs/results.md, by the records that are there."""
    checkout = Checkout()
    tables = {README: readme_table(checkout), RESULTS_PAGE: all_tables(checkout)}
    return {
        file: with_tables(file.read_text(encoding="utf-8"), of_file, file.name)
        for file, of_file in tables.items()
    }


def main(
    known: Annotated[
        bool, typer.Option("--known", help="Measure nothing that is missing.")
    ] = False,
    only: Annotated[
        list[str] | None, typer.Option(help=f"Measure this alone: {', '.join(EVERYTHING)}.")
    ] = None,
) -> None:
    """Measure what is missing; write README's table and docs/results.md."""
    from cifar_pipeline.backend.start import start_backend
    from cifar_pipeline.common.atomic import replacing

    if unknown := set(only or ()) - set(EVERYTHING):
        sys.exit(f"--only: {', '.join(sorted(unknown))} is none of {', '.join(EVERYTHING)}")
    if not known:
        measure(only or EVERYTHING)
    start_backend()  # before Keras is imported
    for file, text in pages().items():
        with replacing(file) as temporary:
            temporary.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
