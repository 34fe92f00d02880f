"""docs/reference/ is what schemas, commands, dvc.yaml and registries say."""

from pathlib import Path

import pytest

from closure import ROOT
from reference import files, generate


@pytest.mark.parametrize("name", generate.PAGES)
def test_the_page_is_current(name: str) -> None:
    committed = (ROOT / "docs/reference" / name).read_text(encoding="utf-8")
    assert committed == generate.written(name), f"docs/reference/{name} is of before: `make docs`"


def test_every_parameter_has_a_meaning() -> None:
    sections = (*generate.SECTIONS.values(), *generate.CODEC_SECTIONS.values())
    for schema in (*sections, generate.ModelParams):
        described = schema.model_json_schema()
        for each in (described, *described.get("$defs", {}).values()):
            lacking = [
                key
                for key, value in each["properties"].items()
                if "const" not in value and "description" not in value
            ]
            assert not lacking, f"{each['title']}: give {lacking} a description"


def test_every_output_of_dvc_yaml_is_documented() -> None:
    documented = [Path(file["path"]) for file in files()]
    for output in generate.outputs():
        assert any(output == path or output in path.parents for path in documented), output
