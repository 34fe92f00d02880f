"""Whoever catches errors widely says why in words that fit: through `common/system_errors.py`."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from closure import ROOT

WIDE = {"BaseException", "Exception", "OSError", "IOError", "EnvironmentError", "ImportError"}
WIDE |= {"MemoryError", "RuntimeError", "ValueError", "AttributeError"}
# They tell an error of the machine from damage, and give the advice that fits.
CENTRAL = {
    "_unreadable",
    "advice_for",
    "errno_of",
    "is_lack_of_memory",
    "is_of_system",
    "line_of",
    "reason_of",
    "refusal",
}
CENTRAL |= {"unreadable"}  # of models: it asks them
# Handlers that need none of them, and why: by module and function.
REASONS = {
    # What is only for convenience, and is left out in silence.
    "adopt/check_pictures.py::_read_notes": "without notes the pictures are read again",
    "adopt/check_pictures.py::_write_notes": "without notes the pictures are read again",
    "adopt/notes.py::read_adoption": "without notes less is told at the next adoption",
    "adopt/notes.py::write_adoption": "likewise",
    "adopt/notes.py::forget_adoption": "likewise",
    "adopt/check_pictures.py::_stat_key": "what cannot be looked at is told when it is read",
    "backend/start.py::_processor_flags": "a system that tells no flags",
    "backend/device.py::_reported_by_linux": "the processor's name is for people",
    "backend/start.py::_standard_error_kept_back": "without temporary files the notes show",
    "common/atomic.py::scratch_folder": "what stays is removed by the next",
    "common/atomic.py::replacing": "a mode, and a temporary file that stays",
    "common/atomic.py::_shown_as": "puts a file's right name into the error, which goes on",
    "common/memory.py::_limit": "a system that tells no limit",
    "common/memory.py::_reported_by_linux": "a system that tells nothing of its memory",
    "common/memory.py::available_memory": "likewise: nothing is estimated then",
    "common/memory.py::cgroup_limit": "likewise",
    "common/signals.py::<module>": "a process without a standard error",
    "common/signals.py::_at_most_briefly": "without another thread it is printed in this one",
    "common/signals.py::attempt": "the process ends anyhow",
    "common/streams.py::_flush_errors": "lines of progress are for people",
    "common/streams.py::_opened": "likewise",
    "common/streams.py::occupy_closed_descriptors": "a process without a stream",
    "common/system_errors.py::<module>": "not on Windows",
    "download/cache.py::cache_alone": "leftovers of npm harm nobody",
    "download/cache.py::cache_folder": "a user without a home: `~` is then taken literally",
    "download/npm.py::pack": "leftovers of npm harm nobody",
    "images/decoding.py::_loaded": "damaged EXIF data: the pixels are all there",
    "train/checkpoint.py::remove": "a checkpoint that stays is guarded by its fingerprint",
    "trained_model/training_lock.py::remove_checkpoint": "likewise",
    # Another means is taken where a file system cannot do a thing; other errors go on.
    "common/atomic.py::exchange": "AttributeError: a system that cannot",
    "common/atomic.py::_held": "without locks nothing is taken for left over",
    "common/atomic.py::_lock": "a lock that holds this process off is given back",
    "common/atomic.py::_remove_unlocked": "likewise; another user's leftovers harm nobody",
    "common/atomic.py::_take_name": "written in place, which a line says",
    "common/atomic.py::_unless_unsupported": "the caller's other means",
    "dataset/npy_files.py::open_for_reading": "read as a whole",
    "checkout.py::_say": "lines of progress are for people",
    "installation.py::_say": "likewise",
    "checkout.py::_is_there": "what cannot be looked at cannot be written: the line says so",
    "checkout.py::main": "runs alone: names the reason",
    "checkout.py::tell_dvc_of_git": "likewise",
    "installation.py::create": "runs alone, before anything is installed: names the reason",
    "installation.py::main": "likewise",
    "installation.py::_home_of_scripts": "an environment that cannot be read is made anew",
    "installation.py::_same": "an environment that cannot be read is made anew",
    "installation.py::_version_of": "the line that follows names the Python that cannot be started",
    # The handler of one call on a text or on bytes in memory, which the machine cannot refuse.
    "adopt/command.py::_number_or_share": "the text of an option",
    "download/npm_package.py::_images": "a picture in memory",
    "download/npm_package.py::_labels": "JSON in memory",
    "download/pickle_reader.py::batch_from_pickle": "a pickle in memory",
    "dataset/binary_format.py::read_batches": "ValueError: of bytes in memory",
    "download/http_answer.py::_seconds": "a header's text",
    "download/reasons.py::_is_address": "the text of an address",
    "download/reasons.py::proxy_variable": "the text of a variable",
    "images/label_table.py::_lines": "ValueError: another encoding",
    "trained_model/batch_size.py::_numbers": "without shapes, batches are as asked",
    "trained_model/classifier.py::smallest_side": "the shapes that a layer takes",
    "trained_model/lean_config.py::_makes": "the configuration of a layer",
    # They sort errors into words of their own.
    "common/streams.py::write": "_lost gives the causes of standard output",
    "download/in_time.py::run": "the error goes on in another thread",
    "download/reasons.py::of_status": "a part of the server's refusal",
    "download/validator.py::validator_of": "the file is then fetched from its beginning",
    "download/install.py::is_installed": "what cannot be read is installed anew",
    "images/decoding.py::_opened": "_reason gives a picture's causes, the machine's by advice_for",
    "images/decoding.py::require_regular": "likewise",
    "export/command.py::_errors_in_one_line": "OSError: `writing` around it says it",
    "export/command.py::_put_in_place": "puts the last export back, and goes on raising",
}
SOURCES = [*(ROOT / "src/cifar_pipeline").rglob("*.py"), *(ROOT / "stages").glob("*.py")]


def names_in(node: ast.AST | None) -> set[str]:
    if node is None:  # a bare except
        return {"BaseException"}
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name)} | {
        each.attr for each in ast.walk(node) if isinstance(each, ast.Attribute)
    }


def called_in(nodes: list[ast.stmt]) -> set[str]:
    calls = (each for node in nodes for each in ast.walk(node) if isinstance(each, ast.Call))
    return {name for call in calls for name in names_in(call.func)}


def wide_handlers(text: str, module: str) -> Iterator[tuple[str, bool]]:
    """Yield module and function of each wide handler, and whether it asks the central module."""

    def visit(node: ast.AST, function: str) -> Iterator[tuple[str, bool]]:
        if isinstance(node, ast.FunctionDef):
            function = node.name
        place = f"{module}::{function}"
        if isinstance(node, ast.ExceptHandler) and names_in(node.type) & WIDE:
            yield place, bool(called_in(node.body) & CENTRAL)
        is_suppress = isinstance(node, ast.Call) and "suppress" in names_in(node.func)
        if is_suppress and any(names_in(argument) & WIDE for argument in node.args):
            yield place, False
        if isinstance(node, ast.keyword) and node.arg in ("ignore_errors", "ignore_cleanup_errors"):
            yield place, False
        for child in ast.iter_child_nodes(node):
            yield from visit(child, function)

    yield from visit(ast.parse(text), "<module>")


def module_of(source: Path) -> str:
    return source.relative_to(ROOT).as_posix().removeprefix("src/cifar_pipeline/")


def test_every_wide_handler_gives_advice_that_fits_or_has_a_reason() -> None:
    texts = {module_of(source): source.read_text() for source in SOURCES}
    found = [each for module, text in texts.items() for each in wide_handlers(text, module)]
    assert any(asks for _, asks in found)
    without = {place for place, asks in found if not asks}
    assert sorted(without - REASONS.keys()) == [], "go through common/system_errors.py"
    assert sorted(REASONS.keys() - without) == [], "these reasons are of handlers that are gone"


@pytest.mark.parametrize("kinds", ["", "OSError", "(KeyError, ValueError)", "Exception as error"])
def test_a_wide_handler_is_found(kinds: str) -> None:
    code = f"def f():\n    try: ...\n    except {kinds}: reason_of(error)"
    assert list(wide_handlers(code, "x.py")) == [("x.py::f", True)]
    code = code.replace("reason_of(error)", "raise PipelineError('free some space')")
    assert list(wide_handlers(code, "x.py")) == [("x.py::f", False)]


def test_what_is_suppressed_is_found() -> None:
    for code in ("with suppress(OSError): ...", "rmtree(x, ignore_errors=True)"):
        assert list(wide_handlers(code, "x.py")) == [("x.py::<module>", False)]
