"""A server that misbehaves: the right bytes, or the next source and a line that says why."""

import gc
import gzip
import itertools
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from archive_makers import make_batches, official_archive
from cifar_pipeline.common.errors import PipelineError
from cifar_pipeline.download import http
from cifar_pipeline.download.stage import download
from download_fixtures import archive, batches, cache, check, choose, hashes, raw  # noqa: F401
from raw_http import PAUSE, RESET, STALL, Answer, RawServer, Request, certificate, head, raw_server

BODY = official_archive(make_batches())
OTHER = official_archive(make_batches(seed=1))  # of the same length, roughly
HALF = len(BODY) // 2


def once(*pieces: bytes) -> Answer:
    return lambda request: iter(pieces)


def good(request: Request, body: bytes = BODY, **headers: Any) -> Iterator[bytes]:
    """Answer as a server should, Range and If-Range among it."""
    tag = headers.get("ETag")
    start = request.offset if request.headers.get("if-range", tag) == tag else 0
    if start:
        headers["Content_Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
    status = "206 Partial Content" if start else "200 OK"
    yield head(status, Content_Length=len(body) - start, **headers)
    yield body[start:]


def cut(body: bytes = BODY, **headers: Any) -> Answer:
    """Send the first half of what was announced."""
    return once(head("200 OK", Content_Length=len(body), **headers), body[: len(body) // 2])


def part_of(body: bytes, content_range: str, **headers: Any) -> Answer:
    def answer(request: Request) -> Iterator[bytes]:
        if not request.offset:
            yield from good(request, BODY, **headers)
            return
        sent = body[request.offset :]
        written = content_range.format(start=request.offset, last=len(body) - 1, length=len(body))
        yield head("206 Partial", Content_Length=len(sent), Content_Range=written, **headers)
        yield sent

    return answer


def chunked(*chunks: bytes) -> Answer:
    return once(head("200 OK", Transfer_Encoding="chunked"), *chunks)


def endless(request: Request) -> Iterator[bytes]:
    yield head("200 OK")
    yield from itertools.repeat(bytes(1 << 16))


def dripping(request: Request) -> Iterator[bytes]:
    """Send a header that never ends, a byte before each time-out."""
    yield b"HTTP/1.1 200 OK\r\nX: "
    for _ in range(200):
        yield b"x"
        yield PAUSE


TRUSTED = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")
WHOLE = head("200 OK", Content_Length=len(BODY))
IN_A_DAY = format_datetime(datetime.now(UTC) + timedelta(1), usegmt=True)
YESTERDAY = format_datetime(datetime.now(UTC) - timedelta(1), usegmt=True)


class Case(NamedTuple):
    """The answers of the first source, and why it is given up; None where it gives the bytes."""

    answers: list[Answer]
    reason: str | None
    requests: int
    pauses: list[float] | None = None


CASES = {
    "a loop of redirects": Case(
        [once(head("301 Moved", Location="/bad"))], "from address to address without end", 11
    ),
    "a redirect to a file": Case(
        [once(head("302 Found", Location="file:///etc/passwd"))],
        "it leads to 'file:///etc/passwd', no http(s) address",
        1,
    ),
    "a redirect to nowhere": Case([once(head("302 Found"))], "HTTP status 302 Found", 1),
    "a redirect to another host": Case(
        [
            lambda request: iter(
                [head("307 See", Location=f"http://localhost:{port(request)}/fine")]
            )
        ],
        None,
        1,
    ),
    **{
        f"status {status}": Case([once(head(status))], f"HTTP status {status}", 1)
        for status in ("204 No Content", "304 Not Modified", "401 Unauthorized", "403 Forbidden")
    },
    "status 404 with a page": Case(
        [once(head("404 Not Found", Content_Type="text/html"), b"<html>")], "HTTP status 404", 1
    ),
    **{
        f"status {status}": Case(
            [once(head(status))], f"HTTP status {status}, 4 times", 4, [1.0, 1.0, 1.0]
        )
        for status in ("408 Timeout", "429 Too Many", "500 Error", "502 Bad", "504 Timeout")
    },
    "busy for a moment": Case([once(head("503 Busy", Retry_After=7)), good], None, 2, [7.0]),
    "busy until yesterday": Case(
        [once(head("503 Busy", Retry_After=YESTERDAY)), good], None, 2, [0.0]
    ),
    "busy until soon": Case([once(head("503 Busy", Retry_After="soon")), good], None, 2, [1.0]),
    "busy since a while": Case([once(head("503 Busy", Retry_After=-5)), good], None, 2, [1.0]),
    "busy until tomorrow": Case(
        [once(head("503 Busy", Retry_After=IN_A_DAY))], "asks to be left alone for 86,", 1, []
    ),
    "busy for ever": Case(
        [once(head("429 Busy", Retry_After=10**14))], "asks to be left alone for 100,000,", 1, []
    ),
    "a stall before the answer": Case([once(STALL)], "no answer in time", 1),
    "a stall in the headers": Case([once(b"HTTP/1.1 200 OK\r\n", STALL)], "no answer in time", 1),
    "headers that never end": Case([dripping], "no answer in time", 1),
    "a stall in the body": Case([once(WHOLE, BODY[:HALF], STALL)], "nothing arrived for 0.3 s", 1),
    "a cut": Case([cut(), good], None, 2),
    "a cut each time": Case([once(WHOLE, BODY[:100]), once(b"")], "broke off 4 times", 4),
    "a reset": Case([once(WHOLE, BODY[:HALF], RESET), good], None, 2),
    "a length that is too short": Case(
        [once(head("200 OK", Content_Length=HALF), BODY)], "no whole tar archive", 1
    ),
    "a length that is too long": Case(
        [once(head("200 OK", Content_Length=len(BODY) + 9), BODY)],
        "broke off 4 times",
        4,
    ),
    "a negative length": Case([once(head("200 OK", Content_Length=-5), BODY)], None, 1),
    "a length in words": Case([once(head("200 OK", Content_Length="many"), BODY)], None, 1),
    "no length": Case([once(head("200 OK"), BODY)], None, 1),
    "no length, and a cut": Case([once(head("200 OK"), BODY[:HALF])], "no whole tar archive", 1),
    "two lengths": Case(
        [once(head("200 OK", Content_Length="5, 6"), BODY)], "multiple unmatching values", 1
    ),
    "a length beyond every disk": Case(
        [once(head("200 OK", Content_Length=10**13), BODY)], "at most 500,000 were expected", 1
    ),
    "a body without end": Case([endless], "at most 500,000 were expected", 1),
    "a packed archive called packed": Case(
        [once(head("200 OK", Content_Encoding="gzip"), BODY)], None, 1
    ),
    "a packed archive packed again": Case(
        [once(head("200 OK", Content_Encoding="gzip"), gzip.compress(BODY))], None, 1
    ),
    "other bytes of the right length": Case(
        [once(WHOLE, bytes(len(BODY)))], "has 0 of the members of CIFAR-10", 1
    ),
    "an archive of other files": Case([once(head("200 OK"), OTHER)], "is not the official file", 1),
    "a page to log in": Case(
        [once(head("200 OK", Content_Type="text/html"), b"<html>")], "an HTML page", 1
    ),
    "a page called an archive": Case(
        [once(head("200 OK", Content_Type="application/gzip"), b"<!DOCTYPE html>")],
        "no whole tar archive (15 bytes that begin with b'<!DOCTYPE html>')",
        1,
    ),
    "a range that is ignored": Case([cut(), once(WHOLE, BODY)], None, 2),
    "another range than asked for": Case(
        [cut(), part_of(BODY, "bytes 0-{last}/{length}"), good], None, 3
    ),
    "other ranges each time": Case(
        [part_of(BODY, "bytes 7-{last}/{length}"), cut(), cut(), cut(), cut()], None, 1
    ),
    "a range without a place": Case([cut(), part_of(BODY, "")], None, 3),
    "a part that nobody asked for": Case(
        [once(head("206 Partial", Content_Range="bytes 0-9/10"), BODY)], "HTTP status 206", 1
    ),
    "no range, ever": Case([cut(), once(head("416 Range")), good], None, 3),
    "another file meanwhile, by its ETag": Case(
        [cut(OTHER, ETag='"a"'), lambda request: good(request, ETag='"b"')], None, 2
    ),
    "another file meanwhile, by its date": Case(
        [cut(OTHER, ETag='W/"a"', Last_Modified=YESTERDAY), lambda request: good(request, ETag=1)],
        None,
        2,
    ),
    "another file meanwhile, If-Range ignored": Case(
        [cut(OTHER, ETag='"a"'), part_of(BODY, "bytes {start}-{last}/{length}", ETag='"b"')],
        None,
        3,
    ),
    "another file meanwhile, unsaid": Case(
        [cut(OTHER), part_of(BODY, "bytes {start}-{last}/{length}")], None, 3
    ),
    "a chunk of no size": Case([chunked(b"zz\r\nabc")], "broke off 4 times", 4),
    "a chunk that is cut": Case([chunked(b"fff\r\nabc")], "broke off 4 times", 4),
    "no HTTP": Case([once(b"220 ftp ready\x1b[2J\r\n")], "220 ftp ready\\x1b[2J", 1),
    "no answer": Case([once(b"")], "without response", 1),
    "a header without end": Case(
        [once(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n")], "header line", 1
    ),
    "a thousand headers": Case(
        [once(head("200 OK", **{f"X{number}": 1 for number in range(1000)}))], "headers", 1
    ),
}


def port(request: Request) -> str:
    return request.headers["host"].rpartition(":")[2]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[RawServer]:
    monkeypatch.setattr(http, "RETRY_SECONDS", 1.0)
    monkeypatch.setattr(http, "ANSWER_SECONDS", 0.3)
    monkeypatch.setattr(http, "ARCHIVE_BYTES", 500_000)
    with raw_server() as server:
        server.answers["fine"] = [good]
        yield server


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch, cache: Path) -> list[float]:  # noqa: F811
    """The pauses between attempts, none of which is made."""
    made: list[float] = []
    monkeypatch.setattr(http, "pause", made.append)
    for name in (*TRUSTED, "HTTPS_PROXY", "HTTP_PROXY", "NETRC"):
        monkeypatch.delenv(name, raising=False)
    return made


Choose = Callable[..., Any]


@pytest.mark.fault(
    "a server of the data that misbehaves, in some fifty ways",
    "the right bytes, or the next source and a line that names source and reason; no source is "
    "asked more than a few times",
)
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("name", CASES)
def test_right_bytes_or_the_next_source(
    name: str,
    server: RawServer,
    choose: Choose,  # noqa: F811
    raw: Path,  # noqa: F811
    check: Callable[[], None],  # noqa: F811
    pauses: list[float],
    capsys: pytest.CaptureFixture[str],
) -> None:
    case = CASES[name]
    server.answers["bad"] = case.answers
    download(raw, choose({"first": server.at("bad"), "second": server.at("fine")}, window=0.3))
    check()
    *before, last = capsys.readouterr().out.splitlines()
    assert last.startswith(f"{'second' if case.reason else 'first'}: http://")
    if case.reason:
        assert before[0].startswith("first: ")
        assert case.reason in before[0]
        assert before[0].endswith("; trying the next source")
        assert before[0].isprintable()
    assert len(server.asked("bad")) == case.requests
    if case.pauses is not None:
        assert pauses == pytest.approx(case.pauses)
    if name == "two lengths":  # urllib3 refuses them, and forgets its socket
        gc.collect()


def fails(raw: Path, params: Any) -> str:  # noqa: F811
    """Return the line of the one source, which gives nothing."""
    with pytest.raises(PipelineError) as caught:
        download(raw, params)
    assert not raw.exists() or not list(raw.iterdir())
    first, line, advice = str(caught.value).splitlines()
    assert first == "no source gave CIFAR-10:"
    assert advice.startswith("If you have a copy of CIFAR-10")
    return line


@pytest.mark.fault(
    "a certificate that is not trusted, expired, not valid yet, of another host; a server without "
    "TLS",
    "the next source, and a line that says which of these it is and what to set",
)
@pytest.mark.parametrize(
    ("made", "trusted", "reason"),
    [
        ({}, True, None),
        (
            {},
            False,
            "signed by none that is trusted; behind a proxy that inspects TLS set REQUESTS",
        ),
        ({"first_day": -9, "last_day": -5}, True, "has expired, if this machine's clock is right"),
        ({"first_day": 5, "last_day": 9}, True, "not valid yet on 20"),
        ({"host": "127.0.0.2"}, True, "its certificate is of another host"),
        (None, False, "no trusted TLS connection (wrong version number)"),
    ],
)
def test_certificates(
    made: dict[str, Any] | None,
    trusted: bool,
    reason: str | None,
    choose: Choose,  # noqa: F811
    raw: Path,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    context, file = certificate(tmp_path, **(made or {}))
    if trusted:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(file))
    with raw_server(context if made is not None else None) as server:
        server.answers["fine"] = [good]
        address = server.at("fine").replace("http://", "https://")
        if reason is None:
            download(raw, choose({"only": address}))
        else:
            assert reason in fails(raw, choose({"only": address}))


@pytest.mark.fault(
    "the certificates to trust stand in `SSL_CERT_FILE`, as curl and pip have it",
    "they are trusted",
)
@pytest.mark.parametrize("variable", TRUSTED[:3])
def test_every_variable_for_certificates_is_heeded(
    variable: str,
    choose: Choose,  # noqa: F811
    raw: Path,  # noqa: F811
    check: Callable[[], None],  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    context, file = certificate(tmp_path)
    monkeypatch.setenv(variable, str(file))
    with raw_server(context) as server:
        server.answers["fine"] = [good]
        download(raw, choose({"only": server.at("fine")}))
    check()


@pytest.mark.fault(
    "`REQUESTS_CA_BUNDLE`, `CURL_CA_BUNDLE` or `SSL_CERT_FILE` names a missing, empty or damaged "
    "file",
    "the next source, and a line that names the variable and what to do",
)
@pytest.mark.parametrize("variable", TRUSTED[:3])
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "cannot be used (no such file); correct that variable, or unset it"),
        (b"", "holds no readable certificates; correct that variable, or unset it"),
        (b"\xff\x00" * 99, "holds no readable certificates"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "holds no readable"),
    ],
)
def test_certificates_that_cannot_be_read(
    variable: str,
    content: bytes | None,
    reason: str,
    server: RawServer,
    choose: Choose,  # noqa: F811
    raw: Path,  # noqa: F811
    check: Callable[[], None],  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_bytes(content)
    monkeypatch.setenv(variable, str(file))
    (tmp_path / "tls").mkdir()
    with raw_server(certificate(tmp_path / "tls")[0]) as safe:
        safe.answers["fine"] = [good]
        download(raw, choose({"first": safe.at("fine"), "second": server.at("fine")}))
    check()
    line = capsys.readouterr().out.splitlines()[0]
    assert line.startswith(f"first: {variable}")
    assert reason in line


@pytest.mark.fault(
    "`HTTPS_PROXY`, `ALL_PROXY` or their like name no proxy, or one that does not answer",
    "the next source, and a line that names the variable and what to do",
)
@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("http://127.0.0.1:9", "connection refused, through the proxy that {} names; correct that"),
        ("http://user:secret@127.0.0.1:9", "connection refused, through the proxy that {} names"),
        ("http://proxy.invalid:1", "cannot be resolved (no network?), through the proxy that {}"),
        ("http://", "{} is no address of a proxy, which looks like http://HOST:PORT"),
        ("http://host:port", "{} is no address of a proxy"),
        ("://", "{} is no address of a proxy"),
        ("http://no such host:1", "{} is no address of a proxy"),
        ("socks5://127.0.0.1:9", "{} names a SOCKS proxy"),
    ],
)
def test_proxies(
    variable: str,
    value: str,
    reason: str,
    server: RawServer,
    choose: Choose,  # noqa: F811
    raw: Path,  # noqa: F811
    check: Callable[[], None],  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv(variable, value)
    download(raw, choose({"first": "https://data.invalid/x", "second": server.at("fine")}))
    check()
    line = capsys.readouterr().out.splitlines()[0]
    assert reason.format(variable) in line
    assert "secret" not in line


@pytest.mark.fault(
    "a `.netrc` that is damaged, or holds a login that the server refuses",
    "a line names the file",
)
@pytest.mark.parametrize(
    ("content", "status", "reason"),
    [
        (b"machine \xff\xfe\x81", "200 OK", "netrc is no text; mend or remove it"),
        (b"machin 127.0.0.1", "401 No", "netrc cannot be read, so no login was sent"),
        (b"machine 127.0.0.1 login me password secret", "403 No", "403 No with the login in its"),
    ],
)
def test_logins(
    content: bytes,
    status: str,
    reason: str,
    server: RawServer,
    choose: Choose,  # noqa: F811
    raw: Path,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "netrc").write_bytes(content)
    (tmp_path / "netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    server.answers["bad"] = [once(head(status))]
    line = fails(raw, choose({"only": server.at("bad")}))
    assert reason in line
    assert "secret" not in line
