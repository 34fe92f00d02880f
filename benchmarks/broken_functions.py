"""Do the tests notice a broken function? Break some, one at a time, and see.

    python benchmarks/broken_functions.py --functions 30 --seed 1

A seed picks functions over all packages of src/cifar_pipeline and one change in each: a sign, a
bound, a condition or a dropped call. Each is made in a copy of the working tree, where the tests
run until one fails: those of the module first, then those of its package, in the end everything
that `make test` runs. What no test notices is listed, and makes the exit code 1.
"""

import ast
import random
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, NamedTuple

import typer
from common import ROOT

PACKAGE = Path("src/cifar_pipeline")
COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
SIGNS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
}


class Change(NamedTuple):
    """A piece of a file's text, by lines and columns in bytes from ast, and what replaces it."""

    kind: str
    node: ast.AST
    text: str


def changes_in(function: ast.AST) -> Iterator[Change]:
    """Yield every change that may be made in a function, but to types and defaults."""
    for statement in function.body:  # type: ignore[attr-defined]  # of a FunctionDef
        for node in ast.walk(statement):
            yield from _changes_of(node)


def _changes_of(node: ast.AST) -> Iterator[Change]:
    match node:
        case ast.Compare(ops=[op]) if type(op) in COMPARISONS:
            other = ast.Compare(node.left, [COMPARISONS[type(op)]()], node.comparators)
            yield Change("bound", node, f"({ast.unparse(other)})")
        case ast.BinOp(left=left, op=op, right=right) if type(op) in SIGNS:
            if not _is_text(left) and not _is_text(right):
                changed = ast.BinOp(left, SIGNS[type(op)](), right)
                yield Change("sign", node, f"({ast.unparse(changed)})")
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            yield Change("sign", node, ast.unparse(operand))
        case ast.If(test=test) | ast.IfExp(test=test):
            yield Change("condition", test, f"(not ({ast.unparse(test)}))")
        case ast.Expr(value=ast.Call()):
            yield Change("dropped call", node, "pass")


def _is_text(node: ast.AST) -> bool:
    """Return whether an operand is written as a string, of which a sign means something else."""
    return isinstance(node, ast.JoinedStr) or isinstance(getattr(node, "value", None), str)


class Break(NamedTuple):
    """One change in one function of one module."""

    module: Path
    function: str
    change: Change

    def __str__(self) -> str:
        line = self.change.node.lineno  # type: ignore[attr-defined]  # an expression or statement
        place = f"{self.module.relative_to(PACKAGE)}:{line} {self.function}"
        return f"{place}: {self.change.kind}: {self.change.text}"


def pick(number: int, seed: int) -> list[Break]:
    """Pick functions, each package in its turn, and a change in each of them."""
    chance = random.Random(seed)
    by_package: dict[str, list[tuple[Path, str, list[Change]]]] = defaultdict(list)
    for path in sorted((ROOT / PACKAGE).rglob("*.py")):
        module = path.relative_to(ROOT)
        for node in ast.walk(ast.parse(path.read_bytes())):
            changes = list(changes_in(node)) if isinstance(node, ast.FunctionDef) else []
            if isinstance(node, ast.FunctionDef) and changes:
                by_package[module.relative_to(PACKAGE).parts[0]].append(
                    (module, node.name, changes)
                )
    for functions in by_package.values():
        chance.shuffle(functions)
    picked: list[Break] = []
    while len(picked) < number and any(by_package.values()):
        for functions in by_package.values():
            if functions and len(picked) < number:
                module, name, changes = functions.pop()
                picked.append(Break(module, name, chance.choice(changes)))
    return picked


def changed_text(source: bytes, change: Change) -> bytes:
    """Return a module's text with the change in it."""
    node = change.node
    lines = source.splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    begin = starts[node.lineno - 1] + node.col_offset  # type: ignore[attr-defined]
    end = starts[node.end_lineno - 1] + node.end_col_offset  # type: ignore[attr-defined]
    return source[:begin] + change.text.encode() + source[end:]


def tests_for(module: Path) -> list[list[str]]:
    """Return the arguments of pytest for a module, the likeliest tests first, all at the end."""
    parts = module.relative_to(PACKAGE).parent.parts
    folder = Path("tests/unit", *parts)
    own = [folder / f"test_{module.stem}.py", *([folder] if parts else [])]
    steps = [*own, Path("tests/commands"), Path("tests/unit"), Path("tests")]
    return [[str(path)] for path in steps if (ROOT / path).exists()]


def noticed_by(broken: Break, copy: Path) -> str:
    """Make the change in the copy, run tests, take it back; return the test that failed or ''."""
    path = copy / broken.module
    source = path.read_bytes()
    path.write_bytes(changed_text(source, broken.change))
    try:
        for arguments in tests_for(broken.module):
            command = ["-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "--tb=line"]
            options = ["-n", "auto", "--maxprocesses", "4", "--dist", "loadfile"]
            spread = [] if arguments[0].endswith(".py") else options
            done = subprocess.run(
                [sys.executable, *command, *spread, "-m", "not slow and not results", *arguments],
                cwd=copy,
                capture_output=True,
                check=False,
                encoding="utf-8",
            )
            if done.returncode not in (0, 5):  # 5: nothing was collected
                lines = done.stdout.splitlines()
                said = [line for line in lines if line.startswith(("FAILED", "ERROR"))]
                return said[0] if said else lines[-1] if lines else "pytest did not start"
    finally:
        path.write_bytes(source)
    return ""


def main(
    functions: Annotated[int, typer.Option(help="How many functions to break.")] = 30,
    seed: Annotated[int, typer.Option(help="Of what is picked.")] = 1,
    first: Annotated[int, typer.Option(help="The first one to break, from 1.")] = 1,
    show: Annotated[bool, typer.Option("--show", help="List the changes, make none.")] = False,
) -> None:
    """Break functions of src one at a time and list what no test notices."""
    sys.path.insert(0, str(ROOT / "tests/helpers"))
    from workspace import copy_project

    picked = pick(functions, seed)
    survivors = []
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "project"
        copy_project(copy, lambda _: True)
        subprocess.run(["git", "init", "-q"], cwd=copy, check=True)
        for number, broken in enumerate(picked, 1):
            if show or number < first:
                print(f"{number:3} {broken}")
                continue
            started = time.monotonic()
            by = noticed_by(broken, copy)
            seconds = time.monotonic() - started
            print(f"{number:3} {broken}\n    {by or 'NOT NOTICED'} ({seconds:.0f} s)", flush=True)
            if not by:
                survivors.append(broken)
    if survivors:
        print(f"{len(survivors)} of {functions} not noticed:", *survivors, sep="\n")
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
