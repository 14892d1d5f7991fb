"""Whom we trust, and from which files."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
import trustme

from longshore.registry.transport.tls import Trust


def test_authorities_that_docker_and_curl_take_are_taken_by_every_python() -> None:
    """3.13 refuses those without a critical mark or a key identifier (ssl.VERIFY_X509_STRICT)."""
    assert not Trust().context("r.example").verify_flags & ssl.VERIFY_X509_STRICT


@pytest.mark.parametrize(
    ("directory", "authority", "counts"),
    [
        ("r.example", "r.example", True),
        ("r.example:443", "r.example", True),
        ("r.example", "r.example:443", True),
        ("r.example:5000", "r.example:5000", True),
        ("r.example:5000", "r.example", False),
        ("r.example", "r.example:5000", False),
        ("[::1]:443", "[::1]", True),
        ("[::1]", "[::1]:5000", False),
    ],
)
def test_a_directory_of_certs_d_may_name_the_port_that_goes_without_saying(
    tmp_path: Path, directory: str, authority: str, counts: bool
) -> None:
    (tmp_path / directory).mkdir()
    trustme.CA().cert_pem.write_to_path(tmp_path / directory / "ca.crt")
    common = len(ssl.create_default_context().get_ca_certs())
    context = Trust(directories=(tmp_path,)).context(authority)
    assert len(context.get_ca_certs()) == common + counts


def test_a_directory_that_this_user_may_not_enter_is_as_if_it_were_not_there(locked: Path) -> None:
    """``/etc/docker`` may be root's alone, and HOME another user's (sudo without ``-H``)."""
    Trust(directories=(locked / "certs.d",)).check("r.example")
