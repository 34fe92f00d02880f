"""The options of the command `adopt`."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from cifar_pipeline.adopt.command import adopt
from cifar_pipeline.common.console import command_app
from cifar_pipeline.params.loading import read_yaml
from picture_folders import write_pictures

pytestmark = pytest.mark.usefixtures("project")


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(command_app(adopt), arguments)
    return result.exit_code, result.stderr


def test_every_option_arrives() -> None:
    write_pictures(Path("a/b"))
    options = "--image-size 40 --fit pad --model best --validation-images 0.25 --test-images 6"
    code, errors = run("a/b", *options.split(), *["--flip", "none", "--broken-images", "leave_out"])
    assert (code, errors) == (0, "")
    content = read_yaml(Path("params.yaml"))
    download = content["download"]
    assert {key: download[key] for key in ("source", "image_size", "fit", "broken_images")} == {
        "source": "a/b",
        "image_size": 40,
        "fit": "pad",
        "broken_images": "leave_out",
    }
    assert content["train"] == {"model": "best", "flip": "none", "seed": 1}
    assert content["preprocess"]["validation_images"] == 0.25
    assert content["preprocess"]["test_images"] == 6
    assert run("--cifar10") == (0, "")
    assert read_yaml(Path("params.yaml"))["download"]["source"] is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("", "expected a folder of pictures, or --cifar10"),
        ("a --cifar10", "expected a folder of pictures, or --cifar10"),
        ("--cifar10 --flip none", "--cifar10 takes no other option but --params"),
        ("a --validation-images few", "--validation-images: expected a number of images or a"),
        ("a --test-images -3x", "--test-images: expected a number of images or a share"),
        ("a --params nowhere.yaml", "nowhere.yaml is not there; call this in the project's folder"),
        ("a", "a does not exist; understood are"),
    ],
)
def test_what_cannot_be_meant_is_one_line(arguments: str, message: str) -> None:
    code, errors = run(*arguments.split())
    assert code in (1, 2)
    assert errors.startswith(f"error: {message}")
    assert len(errors.splitlines()) == 1
