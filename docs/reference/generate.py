"""Write the generated pages of this folder: params.md, files.md and commands.md (`make docs`).

Parameters come from the schemas, commands from the Makefile and the Typer applications, files from
files.yaml, dvc.yaml and the registries of metrics and export formats.
"""

import importlib.util
import re
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import typer
from pydantic import BaseModel
from ruamel.yaml import YAML
from typer.cli import get_docs_for_click

from cifar_pipeline import check_params
from cifar_pipeline.cli import app as console_script
from cifar_pipeline.codec.params import BaselinePreset, ChosenPreset, CodecPreset
from cifar_pipeline.common.console import command_app
from cifar_pipeline.dvc_cache import verify
from cifar_pipeline.export.formats.registry import FORMATS
from cifar_pipeline.metrics.registry import METRICS
from cifar_pipeline.params.presets import ModelParams
from cifar_pipeline.params.whole_file import SECTIONS

FOLDER = Path(__file__).resolve().parent
ROOT = FOLDER.parents[1]
NOTE = "<!-- Written by `make docs`: change what the page is made of, not the page. -->\n\n"
CODEC_SECTIONS: dict[str, type[BaseModel]] = {
    "`train` and `baseline`": ChosenPreset,
    "A preset of `train`: `models.NAME`": CodecPreset,
    "A preset of `baseline`: `models.NAME`": BaselinePreset,
}
STAGES = ("download", "preprocess", "train", "evaluate")

Json = dict[str, Any]


def table(heading: list[str], rows: list[list[str]]) -> str:
    """Return a Markdown table and an empty line."""
    lines = [heading, ["---"] * len(heading), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines) + "\n"


# Parameters


def params_page() -> str:
    """Return params.md: a table of keys for each schema."""
    sections = {
        **{f"`{name}`": schema for name, schema in SECTIONS.items()},
        "A preset: `models.NAME`": ModelParams,
    }
    return (
        NOTE + "# Parameters\n\n"
        "Every key of [`params.yaml`](../../params.yaml), from the schemas in "
        "`src/cifar_pipeline/params/`.\n"
        "A key with an off value may be left out: the feature is then off.\n\n"
        + "".join(section_of_schema(title, schema) for title, schema in sections.items())
        + "# Parameters of the codec\n\n"
        "Every key of [`codec/params.yaml`](../../codec/params.yaml), from "
        "`src/cifar_pipeline/codec/params.py`.\n\n"
        + "".join(section_of_schema(title, schema) for title, schema in CODEC_SECTIONS.items())
    )


def section_of_schema(title: str, schema: type[BaseModel]) -> str:
    """Return the chapter of a schema of pydantic, and the sections of the schemas in it."""
    described = schema.model_json_schema()
    definitions = described.pop("$defs", {})
    parts = [f"## {title}\n\n{described['description']}\n\n{_keys(described)}"]
    for key, value in described["properties"].items():
        for heading, name in _inner(key, value):
            inner = definitions[name]
            parts.append(f"### {heading}\n\n{inner['description']}\n\n{_keys(inner)}")
    return "".join(parts)


def _inner(key: str, value: Json) -> Iterator[tuple[str, str]]:
    """Yield the definitions that a key's value may have, each one with its heading."""
    references = {f"`{_shown(key)}`": value.get("additionalProperties", value)}
    if "discriminator" in value:
        mapping = value["discriminator"]["mapping"]
        references = {f"`{key}`, `name: {name}`": {"$ref": at} for name, at in mapping.items()}
    for heading, reference in references.items():
        if "$ref" in reference:
            yield heading, reference["$ref"].rsplit("/", 1)[1]


def _shown(key: str) -> str:
    """Return a key as params.yaml has it: the blocks stand beside the other keys."""
    return "blockN" if key == "blocks" else key


def _keys(schema: Json) -> str:
    rows = [
        [
            f"`{_shown(key)}`",
            _values(value),
            f"`{_yaml(value['off'])}`" if "off" in value else "",
            value["description"],
        ]
        for key, value in schema["properties"].items()
        if "const" not in value  # the name by which this schema is chosen
    ]
    return table(["key", "value", "off", "meaning"], rows) if rows else ""


def _values(value: Json) -> str:
    """Return which values a key takes, in words."""
    if "enum" in value:
        return ", ".join(f"`{_yaml(each)}`" for each in value["enum"])
    if "anyOf" in value:
        return " or ".join(_values(each) for each in value["anyOf"])
    if "discriminator" in value:
        return "mapping, `name` one of " + ", ".join(
            f"`{name}`" for name in value["discriminator"]["mapping"]
        )
    kinds = {"string": "text", "boolean": "`true` or `false`", "null": "empty", "object": "mapping"}
    kind = kinds.get(value.get("type", "object"), value.get("type", ""))
    bounds = {"exclusiveMinimum": ">", "minimum": "≥", "exclusiveMaximum": "<", "maximum": "≤"}
    return ", ".join(
        [kind, *(f"{sign} {_number(value[at])}" for at, sign in bounds.items() if at in value)]
    )


def _number(value: float) -> str:
    """Return a bound: 1,000,000 and not 1000000.0."""
    return f"{int(value):,}" if value == int(value) and value < 1e12 else f"{value:g}"


def _yaml(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


# Files


def files_page() -> str:
    """Return files.md: what the pipeline leaves, who writes it, what keeps it, what is in it."""
    registry = read_registry()
    meanings = [f"{name} is {meaning}." for name, meaning in registry["placeholders"].items()]
    groups = (_group(group["title"], group["files"]) for group in registry["groups"])
    return (
        NOTE + "# Files\n\n"
        "Every file that the pipeline leaves, from [`files.yaml`](files.yaml) and "
        "[`dvc.yaml`](../../dvc.yaml).\n"
        f"A key with dots is nested. {' '.join(meanings)}\n\n" + "".join(groups)
    )


def read_registry() -> Json:
    """Return the content of files.yaml."""
    return YAML(typ="safe").load((FOLDER / "files.yaml").read_text(encoding="utf-8"))


def _group(title: str, files: list[Json]) -> str:
    rows = []
    for file in files:
        writer, keeper = writer_and_keeper(file)
        only = f" ({file['only']})" if "only" in file else ""
        rows.append([f"`{file['path']}`{only}", f"`{writer}`", keeper, file["holds"]])
    parts = [f"## {title}\n\n", table(["file", "written by", "kept by", "content"], rows)]
    for file in files:
        for kind in CONTENTS:
            if kind in file:
                heading = [CONTENTS[kind], "meaning"]
                contents = [[f"`{name}`", meaning] for name, meaning in file[kind].items()]
                parts.append(f"### `{file['path']}`\n\n{table(heading, contents)}")
    if title == "Reports":
        metrics = [[f"`{metric.key}`", metric.label] for metric in METRICS]
        parts.append(f"### Metrics\n\n{table(['METRIC', 'name'], metrics)}")
    if title == "Exports":
        formats = [[f"`{name}`", form.title, f"`{form.path}`"] for name, form in FORMATS.items()]
        parts.append(table(["argument of `export`", "format", "FORMAT"], formats))
    return "".join(parts)


CONTENTS = {"keys": "key", "columns": "column", "arrays": "array", "entries": "entry"}


def writer_and_keeper(file: Json) -> tuple[str, str]:
    """Return which stage or command writes a file of the registry, and what keeps it.

    Raises:
        ValueError: neither dvc.yaml nor the registry says so.
    """
    path = Path(file["path"])
    for output, (stage, keeper) in outputs().items():
        if output == path or output in path.parents:
            return stage, keeper
    if not {"written_by", "kept_by"} <= file.keys():
        raise ValueError(f"{path}: no output in dvc.yaml; give its written_by and kept_by")
    return file["written_by"], file["kept_by"]


def outputs() -> dict[Path, tuple[str, str]]:
    """Return the outputs in dvc.yaml, each with its stage and with what keeps it, DVC or Git."""
    stages = YAML(typ="safe").load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    found = {}
    for name, stage in stages.items():
        kinds = (stage.get(kind, []) for kind in ("outs", "metrics", "plots"))
        for output in chain.from_iterable(kinds):
            options = next(iter(output.values())) if isinstance(output, dict) else {}
            path = next(iter(output)) if isinstance(output, dict) else output
            found[Path(path)] = (name, "DVC" if options.get("cache", True) else "Git")
    return found


# Commands


def commands_page() -> str:
    """Return commands.md: the targets of make, then each command with its options."""
    rows = [[f"`make {name}`", text] for name, text in make_targets().items() if text]
    parts = [
        NOTE + "# Commands\n\n"
        "The targets of the Makefile, then the `--help` of each command. DVC runs the scripts in\n"
        "`stages/`; `make check-params` and `make verify` run the two modules at the end.\n\n"
        "## `make`\n\n" + table(["command", "what it does"], rows)
    ]
    for name, application in applications().items():
        command = typer.main.get_command(application)
        context = typer.Context(command, info_name=name)
        parts.append(get_docs_for_click(obj=command, ctx=context, indent=1, name=name))
    return "".join(parts)


def make_targets() -> dict[str, str]:
    """Return the targets of the Makefile that people call, and what `make help` says of each."""
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    found = re.findall(r"^([a-z][a-z-]*):(?!=)(?:.*?## (.+))?", text, re.MULTILINE)
    return dict(found)


def applications() -> dict[str, typer.Typer]:
    """Return every Typer application of the project by the words that start it."""
    scripts = [f"stages/{stage}.py" for stage in STAGES]
    return {
        "cifar-pipeline": console_script,
        **{f"python {script}": command_app(main_of(ROOT / script)) for script in scripts},
        **{f"python -m {each.__name__}": command_app(each.main) for each in (check_params, verify)},
    }


def main_of(script: Path) -> Callable[..., Any]:
    """Return the function `main` of a script, which is not run."""
    spec = importlib.util.spec_from_file_location(f"{script.parent.name}_{script.stem}", script)
    if spec is None or spec.loader is None:
        raise ImportError(str(script))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.main


PAGES: dict[str, Callable[[], str]] = {
    "params.md": params_page,
    "files.md": files_page,
    "commands.md": commands_page,
}


def written(name: str) -> str:
    """Return the content of the page `name`."""
    return PAGES[name]().rstrip() + "\n"


def main() -> None:
    """Write every page."""
    for name in PAGES:
        (FOLDER / name).write_text(written(name), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
