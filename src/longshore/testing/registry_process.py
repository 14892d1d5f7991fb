"""The real registry (distribution 2.8, Debian's ``docker-registry``) as a process of a test.

It needs that program, and trustme for TLS: both are there where longshore is developed.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import json
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from msgspec import Struct, field

PROGRAM: Final = "docker-registry"
_START: Final = 20.0
_STOP: Final = 10.0
_LISTENS: Final = b"listening on"


class RegistryProcess(Struct, frozen=True, kw_only=True):
    """Where it answers, its data and log, and how to trust it (`authority` is a PEM file)."""

    url: str
    host: str
    data: Path
    log: Path
    authority: Path | None = None

    def trust(self) -> ssl.SSLContext | None:
        """A context that trusts its certificate; None when it speaks plain http."""
        return ssl.create_default_context(cafile=self.authority) if self.authority else None


class Settings(Struct, frozen=True, kw_only=True):
    """What is special about it: users with passwords, TLS, read-only, data to begin with.

    `extra` are further top-level keys of its configuration file; they win.
    """

    users: Mapping[str, str] | None = None
    tls: bool = False
    read_only: bool = False
    data: Path | None = None
    extra: Mapping[str, object] = field(default_factory=dict)


@contextmanager
def run_registry(folder: Path, settings: Settings | None = None) -> Iterator[RegistryProcess]:
    """Run it with its files below `folder`; it listens when the block begins.

    Raises RuntimeError with its log when it does not start, FileNotFoundError when it is missing.
    """
    settings = settings or Settings()
    folder.mkdir(parents=True, exist_ok=True)
    address = f"127.0.0.1:{_free_port()}"
    process = RegistryProcess(
        url=f"{'https' if settings.tls else 'http'}://{address}",
        host=address,
        data=settings.data or folder / "data",
        log=folder / "registry.log",
        authority=certificates(folder) if settings.tls else None,
    )
    configuration = folder / "config.yml"
    configuration.write_text(json.dumps(_configuration(folder, process, settings)))
    with subprocess.Popen(
        [PROGRAM, "serve", str(configuration)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    ) as running:
        ready = threading.Event()
        follower = threading.Thread(
            target=_follow, args=(running.stderr, process.log, ready), daemon=True
        )
        follower.start()
        try:
            _until_it_listens(ready, process.log)
            yield process
        finally:
            running.terminate()
            running.wait(_STOP)
            # To the end of the log, which is closed with the process.
            follower.join(_STOP)


def htpasswd(users: Mapping[str, str]) -> str:
    """An htpasswd file; distribution reads bcrypt alone, which the C library's crypt makes."""
    library = ctypes.CDLL(ctypes.util.find_library("crypt"))
    library.crypt.restype = ctypes.c_char_p
    salt = b"$2b$04$abcdefghijklmnopqrstuu"
    lines = (
        f"{user}:{library.crypt(password.encode(), salt).decode()}\n"
        for user, password in users.items()
    )
    return "".join(lines)


def _configuration(folder: Path, process: RegistryProcess, settings: Settings) -> object:
    http: dict[str, object] = {"addr": process.host, "secret": "longshore"}
    if settings.tls:
        pair = {"certificate": folder / "server.pem", "key": folder / "server.key"}
        http["tls"] = {name: str(path) for name, path in pair.items()}
    storage = {
        "filesystem": {"rootdirectory": str(process.data)},
        "delete": {"enabled": True},
        "maintenance": {"readonly": {"enabled": settings.read_only}},
    }
    document = {"version": "0.1", "log": {"level": "info"}, "storage": storage, "http": http}
    if settings.users is not None:
        passwords = folder / "htpasswd"
        passwords.write_text(htpasswd(settings.users))
        document["auth"] = {"htpasswd": {"realm": "test", "path": str(passwords)}}
    return document | dict(settings.extra)


def certificates(folder: Path) -> Path:
    """Write ``server.pem`` and ``server.key`` for this machine; returns the authority's file."""
    import trustme

    authority = trustme.CA()
    server = authority.issue_cert("127.0.0.1", "localhost")
    server.private_key_pem.write_to_path(folder / "server.key")
    for place, blob in enumerate(server.cert_chain_pems):
        blob.write_to_path(folder / "server.pem", append=place > 0)
    authority.cert_pem.write_to_path(folder / "authority.pem")
    return folder / "authority.pem"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _until_it_listens(ready: threading.Event, log: Path) -> None:
    """Come back when its log says that it listens."""
    if not ready.wait(_START) or _LISTENS not in log.read_bytes():
        raise RuntimeError(f"{PROGRAM} did not start:\n{log.read_text()[-4000:]}")


def _follow(source: IO[bytes], log: Path, ready: threading.Event) -> None:
    """Copy the log into a file; `ready` when it says that the registry listens, or has ended."""
    with log.open("wb", buffering=0) as file:
        for line in source:
            file.write(line)
            if _LISTENS in line:
                ready.set()
    # The end of the log without that line: it failed, and waiting longer would not help.
    ready.set()
