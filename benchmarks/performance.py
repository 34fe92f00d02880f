"""Write README's performance table: `make benchmark`, after `make repro`.

Every figure comes from results.json or, where it is missing there for this machine, these versions
and these models' bits, from a measurement made now; then it goes into results.json. With everything
to be measured that takes hours on two cores, so the presets run in the order of their cost;
`make benchmark ARGS=--known` writes what is there and measures nothing.
"""

import os
import statistics
import sys
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from accuracy import collect, key_of_run
from common import ROOT, commit, in_a_process, known_record, recorded

README = ROOT / "README.md"
BEGIN, END = "<!-- results: `make benchmark` -->\n", "<!-- /results -->\n"
HERE = Path(__file__).parent
# Preset, seeds, whether on all 50,000 images.
ROWS = (
    ("quick", 3, False),
    ("fast", 5, False),
    ("accurate", 1, False),
    ("accurate", 3, True),
    ("best", 1, True),
)
Record = dict[str, Any]


def mean_and_spread(values: list[float]) -> str:
    """Return the mean and, of more than one value, the sample's standard deviation."""
    if len(values) == 1:
        return f"{values[0]:.4f}"
    return f"{statistics.mean(values):.4f} ± {statistics.stdev(values):.4f}"


def duration(seconds: float) -> str:
    """Return seconds up to two minutes, then minutes."""
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.1f} min"


def row_of(preset: str, runs: list[Record]) -> str:
    """Return the table's row of a preset's runs."""
    epochs = sorted({run["epochs"] for run in runs})
    cells = [
        f"`{preset}`",
        runs[0]["key"]["images"],
        str(len(runs)),
        *(
            mean_and_spread([run["test_accuracy"][views] for run in runs])
            for views in ("none", "flip", "flip_shift")
        ),
        " to ".join(map(str, dict.fromkeys([epochs[0], epochs[-1]]))),
        duration(statistics.mean(run["epoch_seconds"] for run in runs)),
        f"{max(run['peak_gigabytes'] for run in runs):.2f} GB",
    ]
    return f"| {' | '.join(cells)} |"


def runs_of(preset: str, seeds: int, all_images: bool, measure: bool) -> list[Record]:
    """Return the runs of seeds 1 to `seeds`; without `measure` those that are there."""
    wanted = range(1, seeds + 1)
    if measure:
        return collect(preset, wanted, all_images)
    found = (known_record(key_of_run(preset, seed, all_images)) for seed in wanted)
    return [run for run in found if run]


def measured(script: str, preset: str, measure: bool) -> Record | None:
    """Return what the benchmark `script` says of a preset; without `measure` if it is there."""
    key = {**key_of_run(preset, 1, all_images=False), "measured": script}
    if not measure:
        return known_record(key)
    return recorded(key, partial(in_a_process, str(HERE / f"{script}.py"), "--preset", preset))


def stage_times(device: str, measure: bool) -> Record | None:
    """Return what stage_times.py says of this commit; without `measure` if it is there."""
    key = {"measured": "stage_times", "commit": commit(), "device": device}
    if not measure:
        return known_record(key)
    return recorded(key, partial(in_a_process, str(HERE / "stage_times.py")))


def lines_of_measurements(device: str, measure: bool) -> list[str]:
    """Return the rows of the second table."""
    lines = []
    if race := measured("time_to_accuracy", "quick", measure):
        lines += [
            f"| to 0.79 validation accuracy: the 2017 script | {race['published_seconds']:,} s |",
            f"| the same: `{race['preset']}` | {race['our_seconds']:.1f} s, "
            f"{race['ratio']:.0f} times quicker |",
        ]
    if speed := measured("efficiency", "accurate", measure):
        lines += [
            f"| a step of `{speed['preset']}` against the fastest convolution | "
            f"{speed['step_gigaflops']} of {speed['ceiling_gigaflops']} GFLOP/s, "
            f"{speed['efficiency_percent']:.0f} % |",
            f"| its input, augmentation included | {speed['input_percent']:.1f} % of a step |",
        ]
    if growth := measured("scaling", "fast", measure):
        sizes = ", ".join(f"{row['images']:,}" for row in growth["rows"])
        costs = ", ".join(
            f"{row['epoch_seconds']:.1f} s ({row['peak_gigabytes']:.2f} GB)"
            for row in growth["rows"]
        )
        lines += [f"| `fast`, an epoch on a training set of {sizes} images | {costs} |"]
    if stages := stage_times(device, measure):
        lines += [
            f"| preprocess; evaluate | {stages['preprocess']:.1f} s; {stages['evaluate']:.1f} s |",
            "| `dvc repro` with nothing to do; `dvc status`; a stage's `--help` | "
            f"{stages['dvc_repro_with_nothing_to_do']:.2f} s; {stages['dvc_status']:.2f} s; "
            f"{stages['help']:.2f} s |",
        ]
    return ["| measured | |", "|---|---|", *lines, ""] if lines else []


def section(measure: bool) -> str:
    """Return the Markdown between the marks."""
    runs = [(preset, runs_of(preset, seeds, every, measure)) for preset, seeds, every in ROWS]
    runs = [(preset, found) for preset, found in runs if found]
    if not runs:
        sys.exit(
            "results.json has no run of these models on this kind of machine: `make benchmark`"
        )
    first = runs[0][1][0]
    return "\n".join(
        [
            f"{os.cpu_count()} cores of: {first['processor']}; {first['precision']}; written by "
            f"`make benchmark` at commit {commit()}.",
            "",
            "| preset | trained on | seeds | test accuracy | with `flip` | with `flip_shift` "
            "| epochs | training | memory, at most |",
            "|---|---|---|---|---|---|---|---|---|",
            *(row_of(preset, found) for preset, found in runs),
            "",
            *lines_of_measurements(first["key"]["device"], measure),
        ]
    )


def main(
    known: Annotated[
        bool, typer.Option("--known", help="Measure nothing that is missing.")
    ] = False,
) -> None:
    """Measure what is missing and write the table into README.md."""
    from cifar_pipeline.common.atomic import replacing

    text = README.read_text()
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        sys.exit(f"{README.name} must hold the lines {BEGIN.strip()} and {END.strip()} once each")
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    with replacing(README) as temporary:
        temporary.write_text(before + BEGIN + section(not known) + END + after)


if __name__ == "__main__":
    typer.run(main)
