"""Error lines, exit codes, and what a failing stage says."""

import pytest
import typer
from typer.testing import CliRunner

from cifar_pipeline.common.console import command_app, complain, say
from cifar_pipeline.common.errors import ParamsError, PipelineError


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (PipelineError("no room"), 1),
        (ParamsError("no such key"), 2),
    ],
)
@pytest.mark.parametrize("under_dvc", [True, False])
def test_an_error_is_one_line(
    error: Exception, code: int, under_dvc: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise error

    monkeypatch.delenv("DVC_STAGE", raising=False)
    if under_dvc:
        monkeypatch.setenv("DVC_STAGE", "train")
    app: typer.Typer = command_app(fail)
    result = CliRunner().invoke(app, [])
    assert result.exit_code == code
    assert len(result.stderr.strip().splitlines()) == 1
    assert str(error) in result.stderr
    # DVC has removed the stage's outputs by then; outside it nothing was.
    assert ("dvc checkout" in result.stderr) is under_dvc
    assert ("git restore reports" in result.stderr) is under_dvc


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\u00e9l\u00e9phant \U0001f418, plain", "\u00e9l\u00e9phant \U0001f418, plain"),
        ("two\nlines", r"two\nlines"),
        ("\x1b[31mred", r"\x1b[31mred"),
        ("caf\udce9", r"caf\udce9"),
    ],
)
def test_lines_show_what_would_act_on_a_terminal(
    text: str, shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    say(text)
    complain(text)
    assert capsys.readouterr() == (f"{shown}\n", f"{shown}\n")
