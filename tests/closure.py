"""Which modules of the project a stage imports, directly or not, read off the code."""

import ast
from pathlib import Path

PACKAGE = "cifar_pipeline"
ROOT = Path(__file__).resolve().parents[1]


def _module_files(source: Path, module: str) -> set[Path]:
    """Return the files that importing `module` runs: its own and its packages' __init__."""
    parts = module.split(".")
    files = set()
    for depth in range(1, len(parts) + 1):
        base = source.joinpath(*parts[:depth])
        for candidate in (base.with_suffix(".py"), base / "__init__.py"):
            if candidate.is_file():
                files.add(candidate)
    return files


def _imported(path: Path) -> set[str]:
    """Return the names that a file imports anywhere, inside functions too."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports are not followed"
            assert node.module
            names.add(node.module)
            # `from package import module` imports a module too.
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name for name in names if name.split(".")[0] == PACKAGE}


def import_closure(script: Path, root: Path = ROOT) -> set[str]:
    """Return `script` and every file of the package that it imports, relative to `root`."""
    found: set[Path] = set()
    pending = [script]
    while pending:
        path = pending.pop()
        if path not in found:
            found.add(path)
            for name in _imported(path):
                pending.extend(_module_files(root / "src", name))
    return {path.relative_to(root).as_posix() for path in found}
