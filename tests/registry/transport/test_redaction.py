"""URLs in messages."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from longshore.registry.transport.redaction import redact


def test_only_known_query_keys_are_shown() -> None:
    url = "https://u:pw@s3.example/b?X-Amz-Signature=abc&digest=sha256:12&_state=xyz#frag"
    assert redact(url) == "https://s3.example/b?X-Amz-Signature=***&digest=sha256:12&_state=***"


def test_a_url_without_query_stays_as_it_is() -> None:
    assert redact(URL("http://localhost:5000/v2/")) == "http://localhost:5000/v2/"


def test_what_is_no_url_is_masked() -> None:
    assert redact("http://[") == "***"


@given(st.text("abcXYZ019-_%", min_size=6, max_size=30))
def test_no_value_of_an_unknown_key_is_shown(secret: str) -> None:
    url = URL("https://h.example/p").with_query({"token": f"q{secret}q"})
    assert f"q{secret}q" not in redact(url)
