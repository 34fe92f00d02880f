"""Which of the project's own files a stage runs, directly or not, read off the code."""

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Where a stage's imports are looked up: the package, and the folders of scripts.
FOLDERS = ("src", "stages", "codec/stages")


class Imports(ast.NodeVisitor):
    """Collects the names that a module imports anywhere, inside functions too.

    Args:
        path: the module's file, for messages.
        package: the dotted name of the package that it belongs to, for relative imports.
        type_checking: whether imports for the type checker alone count, which never run.
    """

    def __init__(self, path: Path, package: str, type_checking: bool = False) -> None:
        self._type_checking = type_checking
        self.names: set[str] = set()
        self._path = path
        self._package = package

    def visit_If(self, node: ast.If) -> None:
        if not self._type_checking and ast.unparse(node.test) in (
            "TYPE_CHECKING",
            "typing.TYPE_CHECKING",
        ):
            for other in node.orelse:
                self.visit(other)
        else:
            self.generic_visit(node)

    def visit_Import(self, node: ast.Import) -> None:
        self.names |= {alias.name for alias in node.names}

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        module = node.module or ""
        if node.level:
            above = self._package.split(".")
            kept = above[: len(above) - node.level + 1]
            module = ".".join([*kept, *([module] if module else [])])
        # `from package import module` imports a module too.
        self.names |= {module, *(f"{module}.{alias.name}" for alias in node.names)}

    def visit_Call(self, node: ast.Call) -> None:
        called = ast.unparse(node.func).split(".")[-1]
        if called in ("import_module", "__import__"):
            name = node.args[0] if node.args else None
            if (
                not isinstance(name, ast.Constant)
                or not isinstance(name.value, str)
                or name.value.startswith(".")
            ):
                raise AssertionError(
                    f"{self._path}, line {node.lineno}: this import cannot be read off the code"
                )
            self.names.add(name.value)
        self.generic_visit(node)


def _module_files(folder: Path, module: str) -> set[Path]:
    """Return the files that importing `module` runs: its own and its packages' __init__."""
    parts = module.split(".")
    files = set()
    for depth in range(1, len(parts) + 1):
        base = folder.joinpath(*parts[:depth])
        for candidate in (base.with_suffix(".py"), base / "__init__.py"):
            if candidate.is_file():
                files.add(candidate)
    return files


def _imported(path: Path, root: Path) -> set[str]:
    folder = next(root / name for name in FOLDERS if path.is_relative_to(root / name))
    package = ".".join(path.relative_to(folder).parent.parts)
    imports = Imports(path, package)
    imports.visit(ast.parse(path.read_text()))
    return imports.names


def import_closure(script: Path, root: Path = ROOT) -> set[str]:
    """Return `script` and every file of the project that it imports, relative to `root`."""
    found: set[Path] = set()
    pending = [script]
    while pending:
        path = pending.pop()
        if path not in found:
            found.add(path)
            for name in _imported(path, root):
                for folder in FOLDERS:
                    pending.extend(_module_files(root / folder, name))
    return {path.relative_to(root).as_posix() for path in found}
