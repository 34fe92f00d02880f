"""Why a request over HTTP failed, in words that name the setting to blame and what to do."""

import datetime
import netrc
import os
import re
import ssl
from collections.abc import Iterator
from urllib.parse import urlsplit

import requests
import urllib3.exceptions

# What requests, urllib3 and the standard library raise before and while an answer arrives. Nothing
# is written meanwhile, so that an OSError is none of the disk.
FAILURES = (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError)
# The first two are known to requests, and go first; curl, pip and Python heed the others.
_CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")
_NO_PROXY_GIVEN = "no address of a proxy, which looks like http://HOST:PORT"


def reason(error: BaseException, address: str) -> str:
    """Return the cause of a failure in a few words.

    Args:
        error: what a request for `address` raised.
        address: where the request went to.
    """
    causes = list(_causes(error))
    tls = [cause for cause in causes if isinstance(cause, ssl.SSLError)]
    if tls or any(isinstance(cause, requests.exceptions.SSLError) for cause in causes):
        return _of_tls(tls)
    blamed = _blamed_file(causes)
    if blamed:
        return blamed
    if isinstance(error, requests.exceptions.InvalidSchema) and "adapters" in str(error):
        return f"it leads to {str(error).split(' for ')[-1]}, no http(s) address"
    if isinstance(error, requests.TooManyRedirects):
        return "it leads from address to address without end"
    if any(isinstance(cause, UnicodeDecodeError) for cause in causes):
        return f"{_netrc_file()} is no text; mend or remove it"
    if not _is_address(address) or any(isinstance(cause, UnicodeError) for cause in causes):
        # The error would name parts of it, a password perhaps.
        return "its address cannot be read; http(s)://HOST/FILE was expected"
    variable = proxy_variable(address)
    if not variable and isinstance(error, requests.exceptions.InvalidURL):
        return "it leads to an address that cannot be read"
    if not variable:
        return _last_words(error, causes)
    if "SOCKS" in str(error):
        return f"{variable} names a SOCKS proxy, which takes the package pysocks; name an HTTP one"
    if isinstance(error, requests.ConnectionError) and not isinstance(error, _MALFORMED):
        return (
            f"{_last_words(error, causes)}, through the proxy that {variable} names; correct that "
            "variable, or unset it"
        )
    return f"{variable} is {_NO_PROXY_GIVEN}; correct or unset it"


_MALFORMED = (requests.exceptions.InvalidProxyURL, requests.exceptions.InvalidSchema)


def _is_address(address: str) -> bool:
    try:
        requests.Request("GET", address).prepare()
    except (requests.RequestException, ValueError):
        return False
    return True


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield `error`, what caused it, what caused that, and so on."""
    seen: list[object] = []
    cause: object = error
    while isinstance(cause, BaseException) and cause not in seen:
        seen.append(cause)
        yield cause
        nested = [argument for argument in cause.args if isinstance(argument, BaseException)]
        cause = (
            getattr(cause, "reason", None)
            if isinstance(getattr(cause, "reason", None), BaseException)
            else cause.__cause__ or (nested[0] if nested else cause.__context__)
        )


def _last_words(error: BaseException, causes: list[BaseException]) -> str:
    if isinstance(error, requests.ConnectTimeout):
        return "no connection in time"
    if isinstance(error, requests.ReadTimeout | TimeoutError):
        return "no answer in time"
    for cause in causes:
        if isinstance(cause, urllib3.exceptions.NameResolutionError):
            return "the host's name cannot be resolved (no network?)"
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror.lower()
    # The error at the bottom: those around it repeat it, and the whole address.
    said = [str(cause) for cause in causes if not isinstance(cause, requests.RequestException)]
    text = (said or [str(error)])[-1].strip()
    return text.splitlines()[0] if text else type(error).__name__


def _blamed_file(causes: list[BaseException]) -> str | None:
    """Return what to do about a file that an environment variable names and that cannot be used."""
    for cause in causes:
        if not isinstance(cause, OSError) or isinstance(cause, requests.ConnectionError):
            continue
        path = re.search(r"invalid path: (.*)", str(cause))  # requests' word for a missing one
        file = path[1] if path else cause.filename
        variables = [name for name, value in os.environ.items() if file and value == file]
        if variables:
            return (
                f"{variables[0]} names {file}, which cannot be used "
                f"({cause.strerror or 'no such file'}); correct that variable, or unset it"
            )
    return None


def _of_tls(errors: list[ssl.SSLError]) -> str:
    """Return what is wrong with the certificate, the trusted ones, or the protocol."""
    variables = [name for name in _CA_VARIABLES if os.environ.get(name)]
    trusted = f"{variables[0]}={os.environ[variables[0]]}" if variables else ""
    verified = [error for error in errors if isinstance(error, ssl.SSLCertVerificationError)]
    if not verified:
        said = " ".join(map(str, errors))
        if trusted and re.search(r"X509|PEM|NO_CERTIFICATE|unknown error", said):
            return f"{trusted} holds no readable certificates; correct that variable, or unset it"
        kind = errors[0].reason if errors and errors[0].reason else "certificate or protocol"
        return f"no trusted TLS connection ({kind.lower().replace('_', ' ')})"
    now = datetime.datetime.now(datetime.UTC)
    match verified[0].verify_code:
        case 9:
            why = f"its certificate is not valid yet on {now:%Y-%m-%d}; set this machine's clock"
        case 10:
            why = (
                f"its certificate has expired, if this machine's clock is right with {now:%Y-%m-%d}"
            )
        case 62 | 64:
            why = "its certificate is of another host"
        case _ if trusted:
            why = f"its certificate is signed by none of those in {trusted}"
        case _:
            why = (
                "its certificate is signed by none that is trusted; behind a proxy that inspects "
                f"TLS set {_CA_VARIABLES[0]} to the file of its certificates"
            )
    return f"no trusted TLS connection: {why}"


def trusted_certificates() -> str | None:
    """Return the file or folder of the certificates to trust, None where the user names none."""
    return next((os.environ[name] for name in _CA_VARIABLES if os.environ.get(name)), None)


def proxy_variable(address: str) -> str | None:
    """Return the environment variable that names the proxy for `address`, None without a proxy."""
    try:
        proxies = requests.utils.get_environ_proxies(address, None)
        if not requests.utils.select_proxy(address, proxies):
            return None
    except ValueError:
        return None
    for name in (f"{urlsplit(address).scheme}_proxy", "all_proxy"):
        for spelt in (name, name.upper()):
            if os.environ.get(spelt):
                return spelt
    return "the system's setting of a proxy"


def of_status(answer: requests.Response) -> str:
    """Return an HTTP status in words, with what to look at where it refuses a login."""
    text = f"HTTP status {answer.status_code} {answer.reason}".rstrip()
    if answer.status_code == 407:
        return f"{text}; the proxy that {proxy_variable(answer.url)} names wants a login"
    if answer.status_code in (400, 401, 403):
        if "Authorization" in answer.request.headers:
            return f"{text} with the login in its address or in {_netrc_file()}"
        try:
            netrc.netrc(_netrc_file())
        except FileNotFoundError:
            pass
        except (netrc.NetrcParseError, OSError, ValueError):
            return f"{text}; {_netrc_file()} cannot be read, so no login was sent"
    return text


def _netrc_file() -> str:
    return os.environ.get("NETRC") or os.path.expanduser("~/.netrc")  # noqa: PTH111 (may not raise)
