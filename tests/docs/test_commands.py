"""Every command that a page names exists, with the options that it names; nothing is run."""

import functools
import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import typer
from dvc.cli.parser import get_main_parser
from dvc.exceptions import DvcException
from ruamel.yaml import YAML

from closure import ROOT
from documents import GENERATED, LOG, PAGES, Command, commands, inline_code, name_of
from reference import generate

# The log keeps the commands of its day, and commands.md is made of the commands themselves.
CHECKED = [page for page in PAGES if page != LOG and not page.is_relative_to(GENERATED)]
# Programs of others: what a page shows of them is not looked up.
OTHERS = {"apt-get", "cd", "diff", "export", "git", "grep", "npm", "rm", "sed"}
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
EXTRAS = re.search(r"^KNOWN_EXTRAS := (.+)$", MAKEFILE, re.MULTILINE)
# What `make TARGET ARGS=...` hands its arguments to.
TAKES_ARGUMENTS = {
    "verify": "python -m cifar_pipeline.dvc_cache.verify",
    "benchmark": "python benchmarks/performance.py",
}


class UnknownError(Exception):
    """A page names something that does not exist."""


def options_in(words: tuple[str, ...]) -> list[str]:
    """Return the options among words, without their values."""
    before_dashes = words[: words.index("--")] if "--" in words else words
    return [word.split("=")[0] for word in before_dashes if re.match(r"--?[a-zA-Z]", word)]


def require(known: set[str], names: list[str], what: str) -> None:
    """Raise UnknownError for the first of `names` that is not `known`."""
    for name in names:
        if name not in known:
            raise UnknownError(f"{what} has no {name}")


# DVC


@functools.cache
def dvc_parser() -> Any:
    return get_main_parser()


def dvc_subparser(words: tuple[str, ...]) -> tuple[Any, tuple[str, ...]]:
    """Return the parser of a command of DVC, and the words behind its name."""
    parser = dvc_parser()
    while words and (names := subcommands(parser)):
        if words[0].startswith("-"):
            break
        require(set(names), [words[0]], parser.prog)
        parser, words = names[words[0]], words[1:]
    return parser, words


def subcommands(parser: Any) -> dict[str, Any]:
    """Return the parsers of a parser's subcommands by name; empty where it has none."""
    groups = [action.choices for action in parser._actions if action.nargs == "A..."]
    return dict(groups[0]) if groups else {}


def check_dvc(words: tuple[str, ...], whole: bool) -> None:
    parser, rest = dvc_subparser(words)
    require(set(parser._option_string_actions), options_in(rest), parser.prog)
    if whole:
        try:
            dvc_parser().parse_args(words)
        except (DvcException, SystemExit) as error:
            raise UnknownError(f"DVC refuses it: {error}") from None
    for override in overrides(words):
        require(set(param_names()), [override], "params.yaml")


def overrides(words: tuple[str, ...]) -> Iterator[str]:
    """Yield the keys that a command sets by -S."""
    for word, value in pairwise(words):
        if word in ("-S", "--set-param"):
            yield value.split("=")[0]


@functools.cache
def param_names() -> tuple[str, ...]:
    """Return the dotted name of every key of params.yaml, sections included."""

    def names(content: Any, before: str) -> Iterator[str]:
        if isinstance(content, dict):
            for key, value in content.items():
                yield f"{before}{key}"
                yield from names(value, f"{before}{key}.")

    return tuple(names(YAML(typ="safe").load((ROOT / "params.yaml").read_text()), ""))


# Commands of the project


def check_typer(start: str, words: tuple[str, ...], whole: bool) -> None:
    """Check arguments of a Typer application, by its own parser where `whole`."""
    command = typer.main.get_command(generate.applications()[start])
    context = typer.Context(command, info_name=start)
    while hasattr(command, "list_commands") and words and not words[0].startswith("-"):
        found = command.get_command(context, words[0])
        if found is None:
            raise UnknownError(f"{start} has no command {words[0]}")
        command, words = found, words[1:]
    known = {name for each in command.get_params(context) for name in each.opts}
    require(known, options_in(words), start)
    if whole and "--help" not in words:
        try:
            command.make_context(start, list(words))
        except Exception as error:  # Typer's own classes of errors are private
            raise UnknownError(f"{start} refuses it: {error}") from None


def check_python(words: tuple[str, ...], whole: bool) -> None:
    if not words:
        return
    if words[0] == "-m":
        module, arguments = words[1], words[2:]
        if module == "pytest":
            require_files([word for word in arguments if not word.startswith("-")])
            return
        start = "cifar-pipeline" if module == "cifar_pipeline" else f"python -m {module}"
        if start not in generate.applications():
            raise UnknownError(f"{module} is no command of the project")
        check_typer(start, arguments, whole)
        return
    script, arguments = ROOT / words[0], words[1:]
    if script.stem.isupper():  # a placeholder
        return
    require_files([words[0]])
    if f"python {words[0]}" in generate.applications():
        check_typer(f"python {words[0]}", arguments, whole)
        return
    # Importing a benchmark takes long: its options are read off the code.
    code = script.read_text(encoding="utf-8")
    for option in options_in(arguments):
        parameter = option.removeprefix("--").replace("-", "_")
        if f'"{option}"' not in code and not re.search(rf"^    {parameter}: ", code, re.MULTILINE):
            raise UnknownError(f"{words[0]} has no {option}")


def require_files(names: list[str]) -> None:
    """Raise UnknownError for the first of `names` that the project does not have."""
    for name in names:
        if not (ROOT / name.split("::")[0]).exists():
            raise UnknownError(f"{name} does not exist")


def check_make(words: tuple[str, ...], whole: bool) -> None:
    targets = [word for word in words if "=" not in word]
    require(set(generate.make_targets()), targets, "the Makefile")
    for name, value in (word.split("=", 1) for word in words if "=" in word):
        if f"$({name})" not in MAKEFILE:
            raise UnknownError(f"the Makefile uses no {name}")
        if name == "EXTRAS":
            assert EXTRAS
            require(set(EXTRAS[1].split()), value.split(), "EXTRAS")
        if name == "ARGS":
            (target,) = targets
            check(Command((*TAKES_ARGUMENTS[target].split(), *value.split()), whole))


def check_console_script(words: tuple[str, ...], whole: bool) -> None:
    check_typer("cifar-pipeline", words, whole)


OURS: dict[str, Callable[[tuple[str, ...], bool], None]] = {
    "cifar-pipeline": check_console_script,
    "dvc": check_dvc,
    "make": check_make,
    "python": check_python,
}


def check(command: Command) -> None:
    """Look a command up.

    Raises:
        UnknownError: it, or a part of it, does not exist.
    """
    program, *words = command.words
    program = program.removeprefix(".venv/bin/")
    if program in OURS:
        OURS[program](tuple(words), command.whole)
    elif command.whole and program not in OTHERS:
        raise UnknownError(f"{program} is no program that the pages use")


@pytest.mark.parametrize("page", CHECKED, ids=name_of)
def test_commands_exist(page: Path) -> None:
    wrong = []
    for command in commands(page):
        try:
            check(command)
        except UnknownError as error:
            wrong.append(f"{name_of(page)}: `{command}`: {error}")
    assert not wrong


@pytest.mark.parametrize("page", CHECKED, ids=name_of)
def test_options_that_stand_alone_exist(page: Path) -> None:
    """Of which command `--top` is, a sentence says; here it has to be one of some command."""
    alone = [code for code in inline_code(page) if re.fullmatch(r"--[a-z][a-z-]+( \w+)?", code)]
    assert {code.split(" ")[0] for code in alone} <= every_option()


@functools.cache
def every_option() -> frozenset[str]:
    """Return the options of all commands of the project, of its benchmarks and of DVC."""
    found: set[str] = set()
    for application in generate.applications().values():
        waiting = [typer.main.get_command(application)]
        while waiting:
            command = waiting.pop()
            found |= {name for each in command.params for name in each.opts}
            waiting += getattr(command, "commands", {}).values()
    parsers = [dvc_parser()]
    while parsers:
        parser = parsers.pop()
        found |= set(parser._option_string_actions)
        parsers += subcommands(parser).values()
    for script in ROOT.glob("benchmarks/*.py"):
        found |= set(re.findall(r'"(--[a-z-]+)"', script.read_text(encoding="utf-8")))
    return frozenset(found)


@pytest.mark.parametrize(
    "page", [page for page in CHECKED if page.name != "CHANGELOG.md"], ids=name_of
)
def test_parameters_exist(page: Path) -> None:
    sections = "|".join((*generate.SECTIONS, "models"))
    named = [code for code in inline_code(page) if re.fullmatch(rf"({sections})(\.\w+)+", code)]
    # models.PRESET.KEY: of any preset.
    known = {re.sub(r"^models\.\w+", "models.PRESET", name) for name in param_names()}
    known |= set(param_names()) | {"download.sha256.pictures"}
    unknown = [name for name in named if not re.search("[A-Z]{2}", name) and name not in known]
    assert not unknown


@pytest.mark.parametrize(
    "wrong",
    [
        "dvc repo",
        "dvc repro --pul",
        "dvc exp run --sett x",
        "dvc exp run -S models.fast.block1.filter=32",
        "make tests",
        "make setup EXTRAS=cuda",
        "make verify ARGS=--mend",
        "make repro KIND=x",
        "cifar-pipeline predikt photos",
        "cifar-pipeline predict --tops 2 photos",
        "cifar-pipeline predict --top two photos",
        "cifar-pipeline predict",
        "python stages/train.py --preset fast",
        "python stages/fit.py",
        "python -m cifar_pipeline.checks",
        "python -m pytest tests/unit/metric",
        "python benchmarks/accuracy.py fast --seed 5",
        "cifar-pipelin predict photos",
    ],
)
def test_what_does_not_exist_is_noticed(wrong: str) -> None:
    with pytest.raises(UnknownError):
        check(Command(tuple(wrong.split()), whole=True))
