"""The files a secure connection to an engine is made with."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from longshore.engine.docker.dial import resolved
from longshore.engine.endpoint import Endpoint, TlsFiles
from longshore.errors import EngineUnavailable


def _certificates(directory: Path) -> TlsFiles:
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    authority.cert_pem.write_to_path(directory / "ca.pem")
    issued.cert_chain_pems[0].write_to_path(directory / "cert.pem")
    issued.private_key_pem.write_to_path(directory / "key.pem")
    return TlsFiles.in_directory(directory, verify=True)


async def _refusal(tls: TlsFiles) -> EngineUnavailable:
    endpoint = Endpoint(url="tcp://127.0.0.1:2376", origin="DOCKER_HOST", tls=tls)
    with pytest.raises(EngineUnavailable) as caught:
        async with resolved(endpoint):
            pass
    return caught.value


async def test_a_key_with_a_password_is_refused_and_nobody_asked_for_it(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    tls = _certificates(tmp_path)
    path = tmp_path / "key.pem"
    key = load_pem_private_key(path.read_bytes(), None)
    encryption = BestAvailableEncryption(b"password")
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, encryption))
    assert "DOCKER_CERT_PATH" in ((await _refusal(tls)).hint or "")
    assert "pass phrase" not in "".join(capfd.readouterr())


async def test_certificates_that_may_not_be_read_are_not_the_socket_s_fault(
    tmp_path: Path,
) -> None:
    tls = _certificates(tmp_path)
    for path in tmp_path.iterdir():
        path.chmod(0)
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    try:
        refusal = await _refusal(tls)
    finally:
        os.seteuid(before)
    assert "may not be read" in refusal.message
    assert "key.pem" in (refusal.hint or "")
