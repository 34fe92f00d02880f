"""The figures of README and docs/results.md are those of the records, and of this checkout."""

import json
import re
import shutil
import statistics
from pathlib import Path

import pytest
import records
from performance import BEGIN, END, README, RESULTS_PAGE, pages
from records import GPU_RESULTS, RESULTS, Checkout, Record, read_records
from results_page import all_tables, readme_table
from tables import MISSING, caption, current_records, gpu_runs, places, runs_in

from cifar_pipeline.params.presets import load_model
from cifar_pipeline.train.fingerprint import digest, params_digest
from closure import ROOT

MEND = "write them anew with `make benchmark ARGS=--known`"
FILES = ("params.yaml", "dvc.lock", "requirements.txt", "requirements-jax.txt")
CHECKOUT = Checkout()
# SHA-256 and MD5 of the manifest of data/processed, which records and dvc.lock name it by.
DATA = (
    "6f7c65d33e6c2158dafb1f740c646db30d4cffeb3f3d79026ef04c8fa0c11a52",
    "edb61484c8d62895ceb98075059f936f",
)
QUICK = "| `quick` | 2 cores, neither (AVX2) | 45,000 | 3 | 0.8017 ± 0.0058 | 0.8146 ± 0.0047 |"


@pytest.mark.parametrize("file", [README, RESULTS_PAGE], ids=lambda file: file.name)
def test_the_tables_are_those_of_the_records(file: Path) -> None:
    assert file.read_text() == pages()[file], MEND


def test_readmes_table_is_small() -> None:
    lines = readme_table(CHECKOUT).splitlines()
    assert len(lines) <= 12
    assert max(map(len, lines)) <= 110


def test_readme_has_no_figures_beside_its_table() -> None:
    """Accuracies, times and the like: nothing would notice that they are of other code."""
    before, rest = README.read_text().split(BEGIN)
    prose = before + rest.split(END)[1]
    assert not re.findall(r"0\.\d\d+|\d ?%|\d (?:s|min|minutes|seconds|hours|GB|MB|times)\b", prose)


def test_every_row_of_readme_is_of_these_params_data_and_versions() -> None:
    """Read off the page, and compared with the records without the code that writes it."""
    section = README.read_text().split(BEGIN)[1].split(END)[0]
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line[:3] == "| `"]
    measured = [row for row in rows if MISSING not in row[1]]
    assert len(measured) >= 3
    for name, processor, images, seeds, accuracy, *_ in measured:
        preset = load_model(ROOT / "params.yaml", name.strip("`"))
        values = {
            record["key"]["seed"]: record["test_accuracy"]["none"]
            for record in read_records()
            if "test_accuracy" in record
            and processor.endswith(f", {record['kind']}")
            and record["key"]["images"] == images
            and record["key"]["params"]
            == params_digest(preset, int(record["key"]["seed"]), record.get("precision", ""))
            and (record["key"]["data"], record["manifest_md5"]) == DATA
            and record["key"]["versions"] == digest(record["versions"])
        }
        assert len(values) == int(seeds), f"{name} is of other parameters than its row; {MEND}"
        assert accuracy.startswith(f"{statistics.mean(values.values()):.4f}")
    assert DATA[1] in (ROOT / "dvc.lock").read_text()


def test_a_figure_on_a_gpu_says_where_its_versions_are_not_the_locked_ones() -> None:
    text = all_tables(CHECKOUT)
    for runs in places(gpu_runs(CHECKOUT)):
        differences = set().union(*map(CHECKOUT.differences, runs))
        assert differences <= {"versions"}
        section = text.split(caption(runs))[1].split("###")[0]
        assert ("These are not the locked versions" in section) == bool(differences)


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """A copy of the files in which a checkout names parameters, data and versions."""
    for name in FILES:
        shutil.copy(ROOT / name, tmp_path / name)
    return Checkout(tmp_path)


def replace_in(checkout: Checkout, name: str, old: str, new: str) -> None:
    file = checkout.root / name
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def test_the_copy_shows_the_same(checkout: Checkout) -> None:
    assert QUICK in readme_table(checkout)
    assert readme_table(checkout) == readme_table(CHECKOUT)


def quick_section() -> str:
    text = (ROOT / "params.yaml").read_text()
    return "  quick:" + text.split("\n  quick:")[1].split("\n\n")[0]


def test_figures_of_other_parameters_are_not_shown(checkout: Checkout) -> None:
    section = quick_section()
    assert "hardest_share: 0.85" in section
    other = section.replace("hardest_share: 0.85", "hardest_share: 0.8")
    replace_in(checkout, "params.yaml", section, other)
    assert "| `quick` | not measured |" in readme_table(checkout)
    assert "| `accurate` | 2 cores, AVX512-BF16 | 50,000 |" in readme_table(checkout)


def test_figures_of_other_data_are_not_shown(checkout: Checkout) -> None:
    replace_in(checkout, "dvc.lock", checkout.manifest_md5, "0" * 32)
    other = Checkout(checkout.root)
    assert readme_table(other).count("not measured") == 4
    assert gpu_runs(other) == []


def test_figures_of_other_versions_are_not_shown(checkout: Checkout) -> None:
    replace_in(checkout, "requirements.txt", "\nkeras==3.15.1 ", "\nkeras==3.15.2 ")
    assert readme_table(checkout).count("not measured") == 4


def test_the_pin_is_that_of_the_records_python(checkout: Checkout) -> None:
    """NumPy has a version for Python 3.11 and another one for later ones."""
    replace_in(checkout, "requirements.txt", "numpy==2.5.5 ", "numpy==2.5.6 ")
    assert QUICK in readme_table(checkout)
    replace_in(checkout, "requirements.txt", "numpy==2.4.6 ", "numpy==2.4.7 ")
    assert readme_table(Checkout(checkout.root)).count("not measured") == 4


def test_a_record_that_lacks_its_words_is_not_shown() -> None:
    record = next(iter(current_records(CHECKOUT)))
    for name, lost in (("versions", "versions"), ("manifest_md5", "data"), ("precision", "params")):
        rest = {key: value for key, value in record.items() if key != name}
        assert CHECKOUT.differences(rest) == {lost}
    key = {**record["key"], "versions": "0" * 64}
    assert CHECKOUT.differences({**record, "key": key}) == {"versions"}


def test_every_record_says_its_kind() -> None:
    every = [*read_records(RESULTS), *read_records(GPU_RESULTS)]
    assert all(record["kind"] for record in every)


def test_the_newest_record_of_a_seed_counts() -> None:
    run = next(iter(runs_in(current_records(CHECKOUT))))
    newer = {**run, "epoch_seconds": 1.0}
    assert runs_in([run, newer]) == [newer]


def test_a_run_is_known_by_kind_and_bits_whatever_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run: Record = {"key": {"seed": "1", "device": "a"}, "kind": "AMX", "device": "CPU, 2 cores"}
    (tmp_path / "results.json").write_text(json.dumps([run]))
    monkeypatch.setattr(
        records, "read_records", lambda: json.loads((tmp_path / "results.json").read_text())
    )
    elsewhere = {**run, "key": {**run["key"], "device": "b"}}
    assert records.known_record(elsewhere) == run
    assert records.known_record({**elsewhere, "kind": "AVX512-BF16"}) is None
    assert records.known_record({**elsewhere, "device": "CPU, 4 cores"}) is None
    assert records.known_record({**elsewhere, "key": {"seed": "2", "device": "a"}}) is None
