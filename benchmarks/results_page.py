"""README's table of results and those of docs/results.md, made from records alone."""

import statistics

from records import Checkout, Record
from tables import (
    CHOICES,
    MISSING,
    PRESETS,
    accuracy,
    caption,
    commits,
    current_records,
    extent,
    gpu_runs,
    memory,
    newest,
    places,
    rows,
    runs_in,
    table,
    training,
)

# What a newcomer may have: each has its section.
PROCESSORS = ("AMX", "AVX512-BF16", "neither (AVX2)")
IN_README = ("quick", "fast", "accurate", "best")
COLUMNS = ("preset", "trained on", "seeds", "test accuracy", "with `flip`", "with `flip_shift`")
STAGES = {
    "preprocess": "the stage `preprocess`",
    "evaluate": "the stage `evaluate`, of `{preset}`",
    "dvc_repro_with_nothing_to_do": "`dvc repro` with nothing to do",
    "dvc_status": "`dvc status`",
    "help": "`--help` of a stage",
}


def _first_cells(row: list[Record]) -> list[str]:
    """Return the cells under COLUMNS."""
    key = row[0]["key"]
    accuracies = (accuracy(row, choice) for choice in CHOICES)
    return [f"`{key['preset']}`", key["images"], str(len(row)), *accuracies]


def _epochs(row: list[Record]) -> str:
    return extent((run["epochs"] for run in row), "d")


def _race(records: list[Record]) -> list[list[str]]:
    """Return the lines of time_to_accuracy.py."""
    race = newest(records, "time_to_accuracy")
    if not race:
        return [["to 0.79 validation accuracy", MISSING]]
    return [
        ["the 2017 script to 0.79 validation accuracy", f"{race['published_seconds']:,.0f} s"],
        [
            f"`{race['preset']}` to 0.79 validation accuracy",
            f"{race['our_seconds']:.1f} s, {race['ratio']:.0f} times quicker",
        ],
    ]


def _efficiency(records: list[Record]) -> list[list[str]]:
    """Return the lines of efficiency.py."""
    speed = newest(records, "efficiency")
    if not speed:
        return [["a step against the fastest convolution", MISSING]]
    return [
        [
            f"a step of `{speed['preset']}` against the fastest convolution",
            f"{speed['step_gigaflops']} of {speed['ceiling_gigaflops']} GFLOP/s, "
            f"{speed['efficiency_percent']:.0f} %",
        ],
        ["its input, augmentation included", f"{speed['input_percent']:.1f} % of a step"],
    ]


def _scaling(records: list[Record]) -> list[list[str]]:
    """Return the lines of scaling.py."""
    growth = newest(records, "scaling")
    if not growth:
        return [["an epoch of `fast` on 5,000, 15,000 and 45,000 images", MISSING]]
    return [
        [
            f"an epoch of `{growth['preset']}` on {row['images']:,} images",
            f"{row['epoch_seconds']:.1f} s, {row['peak_gigabytes']:.2f} GB",
        ]
        for row in growth["rows"]
    ]


def _stages(records: list[Record]) -> list[list[str]]:
    """Return the lines of stage_times.py."""
    seconds = newest(records, "stage_times")
    if not seconds:
        return [["the stages `preprocess` and `evaluate`, and DVC's own time", MISSING]]
    preset = seconds["key"]["preset"]
    return [
        [label.format(preset=preset), f"{seconds[name]:.2f} s"] for name, label in STAGES.items()
    ]


def _of_a_processor(records: list[Record]) -> list[str]:
    """Return the tables of one place."""
    by_preset: dict[str, list[list[str]]] = {preset: [] for preset in PRESETS}
    for row in rows(runs_in(records)):
        cells = [*_first_cells(row), _epochs(row), training(row), memory(row)]
        by_preset.setdefault(row[0]["key"]["preset"], []).append(cells)
    lines = [
        line for name, found in by_preset.items() for line in found or [[f"`{name}`", MISSING]]
    ]
    parts = (_race, _efficiency, _scaling, _stages)
    return [
        caption(records),
        "",
        *table([*COLUMNS, "epochs", "training", "memory, at most"], lines),
        "",
        *table(["also measured", ""], [line for part in parts for line in part(records)]),
        "",
    ]


def _of_a_gpu(runs: list[Record], checkout: Checkout) -> list[str]:
    """Return the table of one kind of GPU."""
    lines = []
    for row in rows(runs):
        extra = [run["first_epoch_extra_seconds"] for run in row]
        seconds = statistics.mean(run["epoch_seconds"] for run in row) - statistics.mean(extra)
        tracing = f"{extent(extra, '.1f')} s"
        lines.append([*_first_cells(row), _epochs(row), f"{seconds:.1f} s", tracing])
    locked = not any(checkout.differences(run) for run in runs)
    return [
        caption(runs),
        *([] if locked else ["These are not the locked versions, which have not run on a GPU."]),
        "Training is without tracing and compiling, which have a column of their own: the longest",
        "time is without a cache of compiled programs (`JAX_COMPILATION_CACHE_DIR`).",
        "",
        *table([*COLUMNS, "epochs", "training", "tracing and compiling, in addition"], lines),
        "",
    ]


def all_tables(checkout: Checkout) -> str:
    """Return the lines between the marks of docs/results.md: a section for each kind of device."""
    records = current_records(checkout)
    lines = []
    for kind in dict.fromkeys([*PROCESSORS, *(record["kind"] for record in records)]):
        of_kind = places([record for record in records if record["kind"] == kind])
        lines += [f"### {kind[0].upper()}{kind[1:]}", ""]
        lines += [line for place in of_kind for line in _of_a_processor(place)]
        lines += [] if of_kind else ["Not measured.", ""]
    for place in places(gpu_runs(checkout)):
        lines += [f"### {place[0]['kind']}", "", *_of_a_gpu(place, checkout)]
    return "\n".join(lines)


def readme_table(checkout: Checkout) -> str:
    """Return the lines between README's marks: of each preset the runs with the most seeds."""
    records = current_records(checkout)
    every = [row for place in places(runs_in(records)) for row in rows(place)]
    of_presets = {
        preset: [row for row in every if row[0]["key"]["preset"] == preset] for preset in IN_README
    }
    chosen = {preset: max(found, key=len) for preset, found in of_presets.items() if found}
    lines = [
        _readme_cells(chosen[preset]) if preset in chosen else [f"`{preset}`", MISSING]
        for preset in IN_README
    ]
    header = ["preset", "processor", "images", "seeds", "test accuracy", "with `flip_shift`"]
    text = [*table([*header, "training", "memory"], lines), ""]
    race = newest(records, "time_to_accuracy")
    shown = [run for row in chosen.values() for run in row]
    if race:
        shown.append(race)
        text.append(
            f"To 0.79 validation accuracy `{race['preset']}` takes {race['our_seconds']:.0f} s, "
            f"the 2017 script {race['published_seconds']:,.0f} s ({_processor(race)})."
        )
    if shown:
        precisions = dict.fromkeys(f"{run['precision']} with {run['kind']}" for run in shown)
        text += [
            "Neither: a processor without AMX and without AVX512-BF16.",
            f"Precision: {', '.join(precisions)}.",
            f"Code of {commits(shown)}.",
        ]
    return "\n".join([*text, ""])


def _readme_cells(row: list[Record]) -> list[str]:
    return [
        f"`{row[0]['key']['preset']}`",
        _processor(row[0]),
        row[0]["key"]["images"],
        str(len(row)),
        accuracy(row, "none"),
        accuracy(row, "flip_shift"),
        training(row),
        memory(row),
    ]


def _processor(record: Record) -> str:
    """Return the cores and the kind of a record's processor."""
    cores = record["device"].removeprefix("CPU, ").partition(" (")[0]
    return f"{cores}, {record['kind']}"
