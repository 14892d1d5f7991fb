"""Which proxy leads where."""

from __future__ import annotations

import pytest
from yarl import URL

from longshore.environment import Environment
from longshore.errors import UsageError
from longshore.registry.transport.proxies import proxy_for

SECURE, PLAIN = "http://secure.proxy:3128", "http://plain.proxy:3128"
BOTH = {"HTTPS_PROXY": SECURE, "HTTP_PROXY": PLAIN}


@pytest.mark.parametrize(
    ("url", "no_proxy", "proxy"),
    [
        ("https://ghcr.io/v2/", "", SECURE),
        ("http://10.0.0.5:5000/v2/", "", PLAIN),
        ("http://localhost:5000/v2/", "", None),
        ("https://127.0.0.1/v2/", "", None),
        ("https://[::1]:5000/v2/", "", None),
        ("https://ghcr.io/v2/", "*", None),
        ("https://ghcr.io/v2/", "example.org, ghcr.io", None),
        ("https://a.ghcr.io/v2/", ".ghcr.io", None),
        ("https://a.ghcr.io/v2/", "ghcr.io", None),
        ("https://a.ghcr.io/v2/", "*.ghcr.io", None),
        ("https://xghcr.io/v2/", "ghcr.io", SECURE),
        ("https://ghcr.io/v2/", "ghcr.io:443", None),
        ("https://ghcr.io:8443/v2/", "ghcr.io:443", SECURE),
        ("http://10.1.2.3/v2/", "10.0.0.0/8", None),
        ("http://11.1.2.3/v2/", "10.0.0.0/8", PLAIN),
        ("http://name/v2/", "10.0.0.0/8", PLAIN),
        ("http://10.1.2.3/v2/", "10.0.0.0/x", PLAIN),
        ("https://GHCR.io/v2/", "ghcr.IO", None),
        ("https://[fd00::2]:5000/v2/", "fd00::2", None),
        ("https://[fd00::2]:5000/v2/", "[fd00::2]", None),
        ("https://[fd00::2]:5000/v2/", "[fd00::2]:5000", None),
        ("https://[fd00::2]/v2/", "[fd00::2]:5000", SECURE),
        ("https://[fd00::2]/v2/", "fd00::/8", None),
    ],
)
def test_the_environment_decides(url: str, no_proxy: str, proxy: str | None) -> None:
    found = proxy_for(URL(url), Environment({**BOTH, "NO_PROXY": no_proxy}))
    assert found == (URL(proxy) if proxy else None)


def test_lower_case_names_win_as_with_curl() -> None:
    environment = Environment({**BOTH, "https_proxy": "other.proxy:80"})
    assert proxy_for(URL("https://ghcr.io"), environment) == URL("http://other.proxy:80")


def test_without_variables_there_is_no_proxy() -> None:
    assert proxy_for(URL("https://ghcr.io"), Environment({})) is None


@pytest.mark.parametrize("value", ["socks5://h:1", "http://", "http://h:80800", "h:${PORT}"])
def test_what_is_no_http_proxy_is_named(value: str) -> None:
    with pytest.raises(UsageError, match="HTTPS_PROXY does not hold"):
        proxy_for(URL("https://ghcr.io"), Environment({"HTTPS_PROXY": value}))


@pytest.mark.parametrize("login", ["bob:p#ss", "bob:p/ss", "bob:p?ss", "CORP\\bob:pw"])
def test_a_login_that_is_not_written_as_addresses_are_is_told_how(login: str) -> None:
    with pytest.raises(UsageError) as caught:
        proxy_for(URL("https://ghcr.io"), Environment({"HTTPS_PROXY": f"http://{login}@h:3128"}))
    assert "with #, /, ? and \\ in a password as %23, %2F, %3F and %5C" in str(caught.value.hint)
    assert login not in f"{caught.value.message} {caught.value.hint}"
