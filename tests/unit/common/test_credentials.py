"""What counts as a login or a token, and what does not."""

import pytest

from cifar_pipeline.common.credentials import HIDDEN, holds_login, masked


@pytest.mark.parametrize(
    "address",
    [
        "https://me:SECRET@host/a.tgz",
        "https://me:SECRET@host:8443/a.tgz",
        "https://SECRET@host/a.tgz",
        "http://:SECRET@host",
        "https://me:SEC/SECRET@host/a.tgz",
        "https://me:SEC@SECRET@host/a.tgz",
        "https://SECRET:SECRET@host/SECRET@x:y/a.tgz".replace("/SECRET@x:y", ""),
        "ssh://me:SECRET@host:22/path",
        "ftp://me:SECRET@host/a",
        "https://h\u00f6st:SECRET@host/a",
        "https://host/a.tgz?token=SECRET",
        "https://host/a.tgz?a=1&X-Amz-Signature=SECRET&b=SECRET",
        "https://host/a.tgz?sig=SECRET%2BSECRET",
        "/a.tgz?key=SECRET (Caused by x)",
        "Authorization: Basic SECRET",
        "//registry/:_authToken=SECRET",
        "_password=SECRET",
    ],
)
@pytest.mark.parametrize(
    "around", ["{}", "mirror ({}): HTTP status 404", "got {{'a': '{}'}}", '"{}"']
)
def test_secrets_are_masked(address: str, around: str) -> None:
    text = masked(around.format(address))
    assert "SECRET" not in text
    assert HIDDEN in text
    assert masked(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "https://host/a.tgz",
        "https://host:8443/@scope/package/-/package-1.0.tgz",
        "npm:@scope/cifar10@2.0.0",
        "https://host/a@1.1.1.tgz",
        "did you mean 'mirror'?",
        "the host's name cannot be resolved (no network?); trying the next source",
        "git@host:project.git",
    ],
)
def test_the_rest_stays(text: str) -> None:
    assert masked(text) == text
    assert not holds_login(text)


def test_a_login_is_no_token() -> None:
    assert holds_login("https://me:secret@host/a.tgz")
    assert not holds_login("https://host/a.tgz?raw=true")
