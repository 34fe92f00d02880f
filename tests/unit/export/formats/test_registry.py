"""What holds of every registered export format; a new one needs no line here."""

import ast
import re
import sys
import tomllib
from importlib import import_module
from importlib.metadata import packages_distributions
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from cifar_pipeline.backend.start import start_backend
from cifar_pipeline.cli import app
from cifar_pipeline.export.formats.base import ExportFormat, TracedModel, trace
from cifar_pipeline.export.formats.registry import FORMATS
from closure import ROOT

FOLDER = ROOT / "src/cifar_pipeline/export/formats"
SHARED = ("__init__", "base", "registry")
MODULES = [path for path in sorted(FOLDER.glob("*.py")) if path.stem not in SHARED]
NAMES = ("zebra", "quokka", "axolotl")
# Rounding alone, in another order of additions.
TOLERANCE = 1e-6

each_module = pytest.mark.parametrize("path", MODULES, ids=[path.stem for path in MODULES])
each_format = pytest.mark.parametrize("form", FORMATS.values(), ids=list(FORMATS))


def place_of(form: ExportFormat) -> str:
    """Return the file that a failure is about."""
    return f"src/cifar_pipeline/export/formats/{form.name}.py"


@each_module
def test_a_module_holds_a_registered_format_of_its_name(path: Path) -> None:
    module = import_module(f"cifar_pipeline.export.formats.{path.stem}")
    found = [value for value in vars(module).values() if isinstance(value, ExportFormat)]
    assert [form.name for form in found] == [path.stem], (
        f"{path}: expected one ExportFormat with the name {path.stem!r}"
    )
    registered = FORMATS.get(path.stem)
    assert registered is found[0], f"{path.stem} is missing in FORMATS of {FOLDER}/registry.py"


@each_module
def test_a_module_imports_what_is_slow_inside_functions(path: Path) -> None:
    """`--help` imports every format."""
    names = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").split(".")[0])
    slow = names - sys.stdlib_module_names - {"cifar_pipeline"}
    assert not slow, f"{path} imports {', '.join(sorted(slow))} at its top: import in functions"


@each_format
def test_name_title_and_path(form: ExportFormat) -> None:
    assert re.fullmatch(r"[a-z0-9_]+", form.name), f"{place_of(form)}: name"
    assert form.title.strip(), f"{place_of(form)}: title"
    assert re.fullmatch(r"\w[\w.-]*", form.path), f"{place_of(form)}: path"
    for other in FORMATS.values():
        if other is not form:
            taken = {form.title, form.path} & {other.title, other.path}
            assert not taken, f"{place_of(form)}: {other.name} has the same {', '.join(taken)}"


@each_format
def test_the_extra_installs_what_a_format_needs(form: ExportFormat) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    requirements = project["dependencies"] + project["optional-dependencies"]["export"]
    packages = {re.split(r"[^\w.-]", line)[0].lower().replace("_", "-") for line in requirements}
    installed = packages_distributions()
    for module in form.needs:
        names = {name.lower().replace("_", "-") for name in installed.get(module, [module])}
        assert names & packages, (
            f"{place_of(form)} needs {module}: add its package to the extra `export` in "
            "pyproject.toml and run `make lock`"
        )


def test_help_names_every_format() -> None:
    text = CliRunner().invoke(app, ["export", "--help"], env={"COLUMNS": "400"}).output
    for form in FORMATS.values():
        assert re.search(rf"\b{form.name}\b", text)
        assert form.path in text


@pytest.fixture(scope="module")
def traced() -> TracedModel:
    """A network of one dense layer."""
    start_backend()
    import keras
    from keras import layers

    keras.utils.set_random_seed(1)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.Rescaling(1 / 255),
            layers.Flatten(),
            layers.Dense(len(NAMES), "softmax"),
        ]
    )
    return trace(model, NAMES)


@pytest.fixture(scope="module")
def exports(traced: TracedModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an export in every format."""
    folder = tmp_path_factory.mktemp("exports")
    for form in FORMATS.values():
        assert not form.missing(), f"{form.missing()}: `make setup-dev` installs what tests need"
        form.write(traced, folder / form.path)
    names = {entry.name for entry in folder.iterdir()}
    for form in FORMATS.values():
        assert form.path in names, f"{place_of(form)}: write leaves no {form.path}"
    assert names == {form.path for form in FORMATS.values()}
    return folder


@pytest.mark.trains
@each_format
def test_a_format_knows_its_own_exports(
    form: ExportFormat, exports: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in form.needs:
        monkeypatch.setitem(sys.modules, module, None)  # importing it fails
    assert form.is_ours(exports / form.path), f"{place_of(form)}: is_ours refuses what write wrote"


@each_format
def test_an_export_contains_the_class_names_in_their_order(
    form: ExportFormat, exports: Path
) -> None:
    path = exports / form.path
    files = [file for file in [path, *path.rglob("*")] if file.is_file()]
    order = rb"[^a-z]+".join(name.encode() for name in NAMES)
    assert any(re.search(order, file.read_bytes()) for file in files), (
        f"{place_of(form)}: write leaves out the class names, or compresses them"
    )


@each_format
def test_a_format_refuses_what_is_not_its_export(
    form: ExportFormat, exports: Path, tmp_path: Path
) -> None:
    (tmp_path / "text").write_text("of mine: class_names, classes.txt")
    (tmp_path / "empty file").touch()
    (tmp_path / "empty folder").mkdir()
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/text").write_text("mine")
    others = [exports / other.path for other in FORMATS.values() if other is not form]
    for path in (*tmp_path.iterdir(), *others):
        assert not form.is_ours(path), f"{place_of(form)}: is_ours takes a foreign {path.name}"
    if (exports / form.path).is_dir():
        extra = exports / form.path / "thesis.txt"
        extra.touch()
        taken = form.is_ours(exports / form.path)
        extra.unlink()
        assert not taken, f"{place_of(form)}: is_ours takes a folder with a file of the user's"


@each_format
# Deprecated, but it comes with TensorFlow.
@pytest.mark.filterwarnings(r"ignore:\s*Warning. tf.lite.Interpreter is deprecated:UserWarning")
def test_a_loaded_export_has_the_answers_of_its_file(
    form: ExportFormat, traced: TracedModel, exports: Path
) -> None:
    import keras

    pixels = np.random.default_rng(1).integers(0, 256, (5, 8, 8, 3)).astype(np.float32)
    expected = traced.keras_model.predict_on_batch(pixels)
    # Other weights: those of the answers have to come from the file.
    other = keras.models.clone_model(traced.keras_model)
    runtime, run = form.load(exports / form.path, other)
    assert re.search(r"\d\.\d", runtime), f"{place_of(form)}: the runtime has no version"
    for number in (1, 5):
        answers = run(pixels[:number])
        assert answers.dtype == np.float32
        assert np.abs(answers - expected[:number]).max() < TOLERANCE, (
            f"{place_of(form)}: load gives other probabilities than Keras for {number} images"
        )
