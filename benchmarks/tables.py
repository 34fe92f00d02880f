"""Records grouped into rows, and rows written as the cells of Markdown tables."""

import statistics
from collections.abc import Iterable
from itertools import groupby

from records import GPU_RESULTS, Checkout, Record, read_records

# Presets for a processor, in the order of their cost.
PRESETS = ("quick", "fast", "accurate", "best", "baseline")
CHOICES = ("none", "flip", "flip_shift")
MISSING = "not measured"


def current_records(checkout: Checkout) -> list[Record]:
    """Return the records on a processor that are of the checkout's params, data and versions."""
    records = [record for record in read_records() if not checkout.differences(record)]
    return [record for record in records if not _is_on_gpu(record)]


def gpu_runs(checkout: Checkout) -> list[Record]:
    """Return the runs on a GPU that are of the checkout's params and data, whatever versions."""
    records = [*read_records(GPU_RESULTS), *filter(_is_on_gpu, read_records())]
    return runs_in([run for run in records if checkout.differences(run) <= {"versions"}])


def _is_on_gpu(record: Record) -> bool:
    return record.get("device", "").startswith("GPU")


def runs_in(records: Iterable[Record]) -> list[Record]:
    """Return the whole trainings among the records; of each seed the newest one of a place."""
    newest = {
        (*_place(record), *(record["key"][name] for name in ("preset", "images", "seed"))): record
        for record in records
        if "test_accuracy" in record
    }
    return list(newest.values())


def newest(records: list[Record], script: str) -> Record | None:
    """Return the last record of the benchmark `script`."""
    found = [record for record in records if record["key"].get("measured") == script]
    return found[-1] if found else None


def places(records: list[Record]) -> list[list[Record]]:
    """Return the records of each place together: of one device, precision and set of versions."""
    return [list(place) for _, place in groupby(sorted(records, key=_place), _place)]


def _place(record: Record) -> tuple[str, ...]:
    return record["kind"], record["device"], record["precision"], *record["versions"]


def rows(runs: list[Record]) -> list[list[Record]]:
    """Return the runs row by row: of one preset on so many images, by seed."""

    def order(run: Record) -> tuple[int, str, str]:
        preset = run["key"]["preset"]
        at = PRESETS.index(preset) if preset in PRESETS else len(PRESETS)
        return at, preset, run["key"]["images"]

    ordered = sorted(runs, key=lambda run: (*order(run), int(run["key"]["seed"])))
    return [list(row) for _, row in groupby(ordered, order)]


def table(header: Iterable[str], lines: Iterable[Iterable[str]]) -> list[str]:
    """Return a table's lines; short ones are filled up with empty cells."""
    header = list(header)
    filled = [[*line, *[""] * len(header)][: len(header)] for line in map(list, lines)]
    return [_line(header), "|" + "---|" * len(header), *map(_line, filled)]


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def accuracy(row: list[Record], choice: str) -> str:
    """Return the mean test accuracy and, of several seeds, the sample's standard deviation."""
    values = [run["test_accuracy"][choice] for run in row]
    if len(values) == 1:
        return f"{values[0]:.4f}"
    return f"{statistics.mean(values):.4f} ± {statistics.stdev(values):.4f}"


def training(row: list[Record]) -> str:
    """Return the mean seconds of all epochs."""
    return duration(statistics.mean(run["epoch_seconds"] for run in row))


def duration(seconds: float) -> str:
    """Return seconds up to two minutes, then minutes."""
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.1f} min"


def memory(row: list[Record]) -> str:
    """Return the greatest memory of the runs."""
    return f"{max(run['peak_gigabytes'] for run in row):.2f} GB"


def extent(values: Iterable[float], form: str) -> str:
    """Return the least and the greatest value, or the only one."""
    ordered = sorted(values)
    return " to ".join(dict.fromkeys(format(end, form) for end in (ordered[0], ordered[-1])))


def commits(records: Iterable[Record]) -> str:
    """Return the commits of the code that made the records."""
    return ", ".join(dict.fromkeys(record["commit"] for record in records))


def caption(records: list[Record]) -> str:
    """Return what the figures of one place depend on."""
    first = records[0]
    versions = [name if " " in name else f"Python {name}" for name in first["versions"]]
    return (
        f"{first['device']}: {first['processor']}; {first['precision']}; {', '.join(versions)}; "
        f"code of {commits(records)}."
    )
