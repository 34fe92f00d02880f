"""Fixtures for tests of downloads: small archives, a server that misbehaves, a program `npm`."""

import json
import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from archive_makers import hashes_of, make_batches, official_archive
from cifar_pipeline.common.checksums import check_manifest
from cifar_pipeline.download import http
from cifar_pipeline.params.download import DownloadParams


@pytest.fixture(scope="session")
def batches():
    return make_batches()


@pytest.fixture(scope="session")
def hashes(batches):
    return hashes_of(batches)


@pytest.fixture(scope="session")
def archive(batches):
    return official_archive(batches)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """Keep every test off the user's cache, off npm and off proxies."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("CIFAR_PIPELINE_CACHE", str(folder))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(http, "RETRY_SECONDS", 0)
    return folder


@pytest.fixture
def raw(tmp_path):
    return tmp_path / "raw"


@pytest.fixture
def choose(hashes):
    def choose(sources=None, source=None, minimum=0.0, window=5.0):
        return DownloadParams(
            source=source,
            sources=sources or {},
            minimum_kilobytes_per_second=minimum,
            slow_for_seconds=window,
            sha256=hashes,
        )

    return choose


@pytest.fixture
def check(raw, batches):
    """Assert that the folder holds the six files, their manifest and nothing else."""

    def check(folder=raw):
        found = {path.name: path.read_bytes() for path in folder.iterdir()}
        assert json.loads(found.pop("manifest.json")) == hashes_of(batches)
        assert found == batches
        check_manifest(folder, list(batches), "download")

    return check


class _Handler(BaseHTTPRequestHandler):
    """Serves `server.body`; the path names the way in which it misbehaves."""

    def do_GET(self):
        server = self.server
        body, wish = server.body, self.headers.get("Range")
        server.requests.append((self.path, wish))
        offset = int(wish.removeprefix("bytes=").removesuffix("-")) if wish else 0
        first = [path for path, _ in server.requests].count(self.path) == 1
        how = self.path.partition("?")[0].strip("/")
        if how == "missing":
            return self.send_error(404)
        if how == "html":
            return self._send(200, b"<!DOCTYPE html>", {"Content-Type": "text/html; charset=utf-8"})
        if how == "text":
            return self._send(200, b"<!DOCTYPE html>")
        if how == "wrong":
            return self._send(200, server.wrong)
        if how == "short":
            return self._send(200, body[:-100], length=len(body))
        if how == "no-range":
            return self._send(200, body[: len(body) // 2] if first else body, length=len(body))
        if how == "stall":
            return self._send(200, body, pieces=2, wait=30)
        if how == "silent":
            return server.over.wait(30)
        if how == "crawl":
            return self._send(200, body, pieces=20, wait=0.03)
        if how == "lying-range" and wish:
            lie = f"bytes 0-{len(body) - 1}/{len(body)}"
            return self._send(206, body, {"Content-Range": lie})
        if wish and offset >= len(body):
            return self._send(416, b"", {"Content-Range": f"bytes */{len(body)}"})
        headers = {}
        if wish:
            headers = {"Content-Range": f"bytes {offset}-{len(body) - 1}/{len(body)}"}
        end = len(body) // 2 if how in ("drop", "lying-range") and first else len(body)
        status = 206 if wish else 200
        return self._send(status, body[offset:end], headers, length=len(body) - offset)

    def _send(self, status, body, headers=None, length=None, pieces=1, wait=0.0):
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        step = -(-len(body) // pieces) or 1
        for start in range(0, len(body), step):
            if start:
                self.server.over.wait(wait)
            self.wfile.write(body[start : start + step])
            self.wfile.flush()

    def log_message(self, *_):
        pass


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_):
        """Clients of these tests hang up on purpose."""


@pytest.fixture
def server(archive):
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.body = archive
        server.wrong = official_archive(make_batches(seed=1))
        server.requests = []
        server.over = threading.Event()
        server.at = lambda how: f"http://127.0.0.1:{server.server_port}/{how}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.over.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def npm(tmp_path):
    """Put a program `npm` on PATH that does what `body` says."""

    def install(body):
        program = tmp_path / "bin" / "npm"
        program.parent.mkdir(exist_ok=True)
        program.write_text(
            f"#!{sys.executable} -SE\n"
            "import os, sys, time\n"
            "from pathlib import Path\n"
            "option = lambda name: Path(sys.argv[sys.argv.index(name) + 1])\n"
            "out, cache = option('--pack-destination'), option('--cache')\n" + body
        )
        program.chmod(0o755)

    return install


def is_alive(pid: int) -> bool:
    """Return whether process `pid` runs (a zombie does not)."""
    status = Path(f"/proc/{pid}/stat")
    if not status.exists():
        return False
    return status.read_text().rpartition(")")[2].split()[0] != "Z"


@pytest.fixture
def ends():
    """Assert that a process ends soon."""

    def ends(pid):
        if os.name == "posix" and not Path("/proc").exists():
            pytest.skip("needs /proc")
        deadline = time.monotonic() + 3
        while is_alive(pid):
            assert time.monotonic() < deadline, f"{pid} still runs"
            time.sleep(0.02)

    return ends


@pytest.fixture
def folder(tmp_path, batches):
    folder = tmp_path / "mine"
    folder.mkdir()
    for name, content in batches.items():
        (folder / name).write_bytes(content)
    return folder
