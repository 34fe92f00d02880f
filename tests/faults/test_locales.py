"""Locales and encodings that are not UTF-8, and names that are not: the same files, and escapes."""

import os
import subprocess
from pathlib import Path

import pytest

from broken_streams import LEFT, PROGRAM, WITHOUT_TENSORFLOW, WRITING, lay_out_project, run

LOCALES = {
    "C": {"LC_ALL": "C"},
    "of ASCII alone": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "that does not exist": {"LC_ALL": "xx_YY.nonsense", "PYTHONUTF8": "0"},
    "with streams of ASCII": {"PYTHONIOENCODING": "ascii:strict"},
    "with streams of Latin-1": {"PYTHONIOENCODING": "latin-1:strict"},
    "with streams of UTF-16": {"PYTHONIOENCODING": "utf-16"},
}
ASCII = LOCALES["of ASCII alone"]
NAME = "\u00e9l\u00e9phant"
ESCAPED = r"\xe9l\xe9phant"
NO_TEXT = os.fsdecode(b"caf\xe9")  # a name in Latin-1


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file of the data and of params, by its name."""
    paths = [folder / "params.yaml", *(folder / "data").rglob("*")]
    return {str(p.relative_to(folder)): p.read_bytes() for p in paths if p.is_file()}


def prepared(folder: Path, variables: dict[str, str], real: bool = True) -> Path:
    """Return a project in which what needs no TensorFlow has run."""
    folder.mkdir()
    lay_out_project(folder)
    for name in WITHOUT_TENSORFLOW:
        done = run(folder, WRITING[name], real=real, **variables)
        assert (done.returncode, done.stderr) == (0, "")
        if name == "adopt":
            assert ESCAPED in done.stdout or NAME in done.stdout
    return folder


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of which all was made where everything is ASCII."""
    return prepared(tmp_path_factory.mktemp("locale") / "ascii", ASCII)


@pytest.mark.fault(
    "the locale is not UTF-8 (`LC_ALL=C`, `POSIX`, Latin-1, none that exists; `PYTHONUTF8=0`)",
    "the files are the same, byte for byte, and are UTF-8; names mean the same files",
)
def test_the_files_are_the_same_in_ascii(project: Path, tmp_path: Path) -> None:
    found = contents(project)
    assert NAME in found["data/raw/files.csv"].decode()
    assert found == contents(prepared(tmp_path / "utf-8", {}, real=False))


@pytest.mark.fault(
    "a terminal or a log lacks a character of a class's or a file's name",
    r"it is printed as an escape, such as `\xe9`",
)
@pytest.mark.parametrize("encoding", ["ascii:strict", "latin-1"])
def test_names_are_escaped_where_the_encoding_lacks_them(project: Path, encoding: str) -> None:
    done = run(project, WRITING["adopt"], PYTHONIOENCODING=encoding)
    expected = ESCAPED if encoding.startswith("ascii") else "\ufffdl\ufffdphant"
    assert (done.returncode, done.stderr) == (0, "")
    assert expected in done.stdout


@pytest.mark.slow
@pytest.mark.fault(
    "any command under any locale or encoding of streams",
    "the same results; what is printed is in that encoding, with escapes",
)
@pytest.mark.parametrize("name", LOCALES)
def test_every_command_in_every_locale(project: Path, tmp_path: Path, name: str) -> None:
    folder = prepared(tmp_path / "here", LOCALES[name])
    assert contents(folder) == contents(project)
    picture = f"pictures/test/{NAME}/0.png"
    commands = {
        **{name: WRITING[name] for name in ("train", "evaluate", "export")},
        "predict": [*PROGRAM, "predict", picture],
        "predict --json": [*PROGRAM, "predict", "--json", picture],
        "predict --csv": [*PROGRAM, "predict", "--csv", picture],
    }
    for command, arguments in commands.items():
        done = run(folder, arguments, real=True, **LOCALES[name])
        assert (command, done.returncode, done.stderr) == (command, 0, "")
    for file in LEFT.values():
        assert (folder / file).is_file()
    assert NAME in (folder / "reports/index.html").read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.skipif(
    not Path("/usr/share/i18n/charmaps").is_dir(),
    reason="no sources of locales (the package locales) to make one of Latin-1 of",
)
def test_latin_1_is_the_same(project: Path, tmp_path: Path) -> None:
    made = tmp_path / "de_DE.ISO-8859-1"
    subprocess.run(["localedef", "-i", "de_DE", "-f", "ISO-8859-1", made], check=True)
    variables = {"LC_ALL": made.name, "LOCPATH": str(tmp_path)}
    folder = prepared(tmp_path / "here", variables)
    assert contents(folder) == contents(project)
    done = run(folder, WRITING["adopt"], real=True, **variables)
    assert "\ufffdl\ufffdphant" in done.stdout  # one byte a letter


@pytest.mark.fault(
    "a folder of pictures or a class has a name that is not UTF-8",
    "`adopt` says so in one line: no params.yaml can hold it",
)
@pytest.mark.parametrize("place", ["pictures", "pictures/train/dog"])
def test_a_name_that_is_no_text_is_refused(tmp_path: Path, place: str) -> None:
    lay_out_project(tmp_path)
    (tmp_path / place).rename(tmp_path / Path(place).with_name(NO_TEXT))
    folder = NO_TEXT if place == "pictures" else "pictures"
    before = (tmp_path / "params.yaml").read_bytes()
    done = run(tmp_path, [*PROGRAM, "adopt", folder])
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert r"caf\udce9" in line
    assert "rename" in line
    assert (tmp_path / "params.yaml").read_bytes() == before


@pytest.mark.fault(
    "a picture file has a name that is not UTF-8", "it is read as any other, and shown with escapes"
)
def test_a_file_whose_name_is_no_text_is_used(tmp_path: Path) -> None:
    lay_out_project(tmp_path)
    (tmp_path / "pictures/train/dog/0.png").rename(tmp_path / f"pictures/train/dog/{NO_TEXT}.png")
    for name in ("adopt", "download"):
        done = run(tmp_path, WRITING[name])
        assert (done.returncode, done.stderr) == (0, "")
    assert r"caf\udce9.png" in (tmp_path / "data/raw/files.csv").read_text(encoding="utf-8")
