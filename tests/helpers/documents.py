"""The project's pages in Markdown: their links, headings, commands and inline code."""

import re
import shlex
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

from closure import ROOT

PAGES = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), ROOT / "benchmarks/README.md"],
)
GENERATED = ROOT / "docs/reference"
# It keeps the words of its day.
LOG = ROOT / "docs/log.md"
_SHELLS = {"console", "bash", "sh"}
_SEPARATORS = {"&&", "||", "|", ";", "(", ")", "&"}


def name_of(page: Path) -> str:
    """Return a page's name for the ids of tests."""
    return page.relative_to(ROOT).as_posix()


@dataclass(frozen=True)
class Command:
    """A command that a page names.

    Attributes:
        words: the program and its arguments, without variables before them and redirections.
        whole: whether a reader runs it as it is, as against a mention in a sentence.
    """

    words: tuple[str, ...]
    whole: bool

    def __str__(self) -> str:
        return shlex.join(self.words)


def tokens(page: Path) -> list[Token]:
    """Return the tokens of a page, with those inside paragraphs, tables and headings."""
    blocks = MarkdownIt("commonmark").enable("table").parse(page.read_text(encoding="utf-8"))
    return [each for block in blocks for each in (block, *(block.children or []))]


def links(page: Path) -> list[str]:
    """Return where the links and pictures of a page lead."""
    found = []
    for token in tokens(page):
        if token.type == "link_open":
            found.append(str(token.attrs["href"]))
        elif token.type == "image":
            found.append(str(token.attrs["src"]))
    return found


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    found: set[str] = set()
    blocks = MarkdownIt("commonmark").enable("table").parse(page.read_text(encoding="utf-8"))
    for opening, inline in pairwise(blocks):
        if opening.type == "heading_open":
            text = "".join(each.content for each in inline.children or [])
            slug = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
            same = sum(
                re.fullmatch(rf"{re.escape(slug)}(-\d+)?", each) is not None for each in found
            )
            found.add(f"{slug}-{same}" if same else slug)
    return found


def inline_code(page: Path) -> list[str]:
    """Return the code that stands in a page's sentences and tables."""
    return [token.content for token in tokens(page) if token.type == "code_inline"]


def commands(page: Path) -> list[Command]:
    """Return every command in the shell blocks of a page, and every inline code as one."""
    found = [
        Command(words, whole=True)
        for token in tokens(page)
        if token.type == "fence" and token.info in _SHELLS
        for line in typed_lines(token.content)
        for words in split(line)
    ]
    for code in inline_code(page):
        try:
            found += [Command(words, whole=False) for words in split(code)]
        except ValueError:  # no shell's quotes
            continue
    return found


def typed_lines(block: str) -> list[str]:
    """Return the lines of a shell block that a reader types; where some have a `$`, these alone."""
    lines = block.replace("\\\n", " ").splitlines()
    prompted = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
    return prompted or [line for line in lines if line.strip()]


def split(line: str) -> list[tuple[str, ...]]:
    """Return the commands of a line, each in words; comments and redirections are left out."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    found: list[list[str]] = [[]]
    skip = False
    for word in lexer:
        if skip:
            skip = False
        elif word in _SEPARATORS:
            found.append([])
        elif re.fullmatch(r"[<>]+&?", word):
            skip = True
        elif found[-1] or not re.match(r"[A-Z_]+=", word):
            found[-1].append(word)
    return [tuple(words) for words in found if words]
