"""The guide "Share a cache", followed word by word: no credential gets into Git."""

import re
import secrets
from pathlib import Path

import pytest

from closure import ROOT
from machines import Machine
from workspace import Workspace

GUIDE = (ROOT / "docs/guides/share-a-cache.md").read_text()
BLOCKS = [
    block
    for block in re.findall(r"```console\n(.*?)```", GUIDE, re.DOTALL)
    if "dvc remote add" in block
]
# What the guide writes where a reader writes a credential.
CREDENTIALS = re.compile(r"\b(KEY_FILE|KEY_ID|SECRET|PASSWORD)\b")


def kind(block: str) -> str:
    """Return what a block's remote is reached by."""
    return re.search(r"shared (\w+://|/)", block)[1].removesuffix("://").replace("/", "folder")


def test_each_kind_of_remote_is_shown() -> None:
    assert [kind(block) for block in BLOCKS] == ["folder", "ssh", "s3", "https"]


@pytest.mark.parametrize("block", BLOCKS, ids=kind)
def test_no_credential_reaches_git(
    finished_workspace: Workspace, block: str, tmp_path: Path
) -> None:
    reader = Machine.copy_of(finished_workspace, tmp_path / "reader")
    commands = [line for line in block.splitlines() if line.startswith(("dvc ", "export "))]
    fake = secrets.token_hex()
    reader.run("bash", "-e", "-c", CREDENTIALS.sub(fake, "\n".join(commands)))

    config = (reader.folder / ".dvc/config").read_text()
    assert "remote = shared" in config
    assert "verify = true" in config
    # All that Git has, and all that it would take.
    reader.run("git", "add", "-A")
    reader.run("git", "grep", "-q", "--cached", "remote = shared")
    reader.run("git", "grep", "--cached", fake, expect=1)
    if CREDENTIALS.search(block):
        assert fake in (reader.folder / ".dvc/config.local").read_text()
