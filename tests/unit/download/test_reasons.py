"""Which variable names the proxy for an address."""

import pytest

from cifar_pipeline.download.reasons import proxy_variable

PROXY = "http://proxy:1"


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, None),
        ({"HTTPS_PROXY": PROXY}, "HTTPS_PROXY"),
        ({"HTTPS_PROXY": PROXY, "https_proxy": PROXY}, "https_proxy"),
        ({"HTTP_PROXY": PROXY}, None),
        ({"ALL_PROXY": PROXY}, "ALL_PROXY"),
        ({"ALL_PROXY": PROXY, "HTTPS_PROXY": PROXY}, "HTTPS_PROXY"),
        ({"HTTPS_PROXY": PROXY, "NO_PROXY": "data.example"}, None),
        ({"HTTPS_PROXY": PROXY, "NO_PROXY": "*"}, None),
        ({"HTTPS_PROXY": PROXY, "NO_PROXY": ",;10.0.0.0/99"}, "HTTPS_PROXY"),
    ],
)
def test_proxy_variable(variables, expected, monkeypatch):
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert proxy_variable("https://data.example/a.tgz") == expected
