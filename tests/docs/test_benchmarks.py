"""The scripts of benchmarks/: listed, importing names that exist, and exact where they compare."""

import ast
import hashlib
import importlib.util
import json
from pathlib import Path
from typing import Any

import bits
import broken_functions
import pytest
import rekey

from cifar_pipeline.params.presets import load_model
from cifar_pipeline.train.fingerprint import params_digest
from closure import ROOT

SCRIPTS = sorted((ROOT / "benchmarks").glob("*.py"))
MODULE = "cifar_pipeline"


def test_the_table_of_scripts_lists_each_file_once() -> None:
    text = (ROOT / "benchmarks/README.md").read_text()
    listed = [line.split("`")[1] for line in text.splitlines() if line.startswith("| `")]
    files = [
        path.name for path in (ROOT / "benchmarks").iterdir() if path.suffix in (".py", ".json")
    ]
    assert sorted(listed) == sorted(files)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_imports_names_that_exist(script: Path) -> None:
    for node in ast.walk(ast.parse(script.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(MODULE):
            module = importlib.import_module(str(node.module))
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                assert hasattr(module, alias.name) or importlib.util.find_spec(name), name


def test_another_digit_of_a_metric_shows(tmp_path: Path) -> None:
    file = tmp_path / "test_metrics.json"
    file.write_text(json.dumps({"test": {"error": 0.1, "accuracy": 0.9}, "other": [1]}))
    lines = list(bits.lines_of_metrics(file))
    assert lines == [
        "test_metrics.json.other [1]",
        "test_metrics.json.test.accuracy 0.9",
        "test_metrics.json.test.error 0.1",
    ]


def test_another_digit_of_a_prediction_shows_in_its_column(tmp_path: Path) -> None:
    lines = []
    for probability in ("0.25", "0.26"):
        file = tmp_path / "predictions.csv"
        file.write_text(f"label,cat\n3,{probability}\n1,0.5\n")
        lines.append(list(bits.lines_of_predictions(file)))
    (cat, label), (other_cat, same_label) = lines
    assert label == same_label
    assert cat != other_cat
    assert cat.startswith("predictions.csv cat ")


def test_another_byte_of_the_data_shows(tmp_path: Path) -> None:
    (tmp_path / "a.npy").write_bytes(b"1")
    expected = hashlib.sha256(b"1").hexdigest()[:32]
    assert list(bits.lines_of_data(tmp_path)) == [f"a.npy {expected}"]


def old_record(values: dict[str, Any], commit: str) -> dict[str, Any]:
    text = json.dumps([values, 1, "float32"], sort_keys=True)
    device = next(iter(rekey.KINDS))
    params = hashlib.sha256(text.encode()).hexdigest()
    key = {"preset": "quick", "seed": "1", "params": params, "device": device}
    return {"key": key, "figure": 1, "commit": commit}


def test_records_of_unchanged_presets_alone_get_new_digests(tmp_path: Path) -> None:
    quick = load_model(ROOT / "params.yaml", "quick")
    values = {**quick.model_dump(mode="json"), "flip_equivariant": False}
    before = [
        old_record(values, "a"),
        old_record({**values, "epochs": 2}, "b"),
        {"key": {"measured": "stage_times", "device": next(iter(rekey.KINDS))}, "commit": "c"},
    ]
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / "benchmarks/results.json").write_text(json.dumps(before))

    assert rekey.unchanged_presets({"quick": values}) == {"quick"}
    after, presets = rekey.rekeyed(before, tmp_path, {"quick": values})
    assert presets == {"quick"}
    assert after[0]["key"]["params"] == params_digest(quick, 1, "float32")
    assert after[0]["precision"] == "float32"
    assert [each["key"] for each in after[1:]] == [each["key"] for each in before[1:]]
    assert {each["kind"] for each in after} == {"AVX512-BF16"}
    assert rekey.rekeyed(after, tmp_path, {"quick": values}) == (after, {"quick"})


@pytest.mark.parametrize("changes", [{"epochs": 2}, {"flip_equivariant": True}])
def test_a_preset_that_changed_is_not_unchanged(changes: dict[str, Any]) -> None:
    values = load_model(ROOT / "params.yaml", "quick").model_dump(mode="json")
    assert rekey.unchanged_presets({"quick": {**values, **changes}}) == set()


def test_nothing_is_written_where_bits_differ(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two checkouts whose short runs print other digests."""
    monkeypatch.setattr(rekey, "in_checkout", lambda root, *rest, **options: f"digest of {root}")
    assert not rekey.same_bits(tmp_path, ["quick"], "tensorflow")
    monkeypatch.setattr(rekey, "in_checkout", lambda root, *rest, **options: "digest")
    assert rekey.same_bits(tmp_path, ["quick"], "tensorflow")
    assert capsys.readouterr().out.count("tensorflow:\n") == 4


def test_a_broken_function_is_another_program_in_one_place() -> None:
    source = """def f(numbers, folder):
    "ä"
    if not numbers:
        folder.mkdir()
    return ["ä", -1] if len(numbers) < 3 else sum(numbers) - 1, "a" + "b"
""".encode()
    (function,) = ast.parse(source).body
    changes = list(broken_functions.changes_in(function))
    kinds = [change.kind for change in changes]
    assert sorted(kinds) == ["bound", "condition", "condition", "dropped call", "sign", "sign"]
    for change in changes:
        broken = broken_functions.changed_text(source, change)
        assert ast.dump(ast.parse(broken)) != ast.dump(ast.parse(source))
        assert broken.decode().count("ä") == 2


def test_functions_of_every_room_are_broken() -> None:
    package = ROOT / broken_functions.PACKAGE
    picked = broken_functions.pick(30, seed=1)
    assert len({(each.module, each.function) for each in picked}) == 30
    rooms = {path.parent.name for path in package.glob("*/__init__.py")}
    assert rooms <= {(ROOT / each.module).relative_to(package).parts[0] for each in picked}
