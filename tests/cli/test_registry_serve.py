"""``longshore registry serve`` as users start it: what it keeps, and how it ends."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import Request, urlopen

from longshore.environment import Environment
from longshore.oci.digest import Digest

from .conftest import PROGRAM

CONTENT = b"a layer"


@contextmanager
def serving(directory: Path) -> Iterator[str]:
    """The registry in that directory, ended by Ctrl-C; gives its address."""
    command = [str(PROGRAM), "registry", "serve", "--port", "0", "--dir", str(directory)]
    values = os.environ | Environment.of_process().values
    with subprocess.Popen(command, env=values, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0


def answer_of(method: str, url: str, body: bytes | None = None) -> tuple[int, bytes]:
    with urlopen(Request(url, body, method=method), timeout=20) as answer:
        return answer.status, answer.read()


def test_a_directory_that_does_not_exist_yet_keeps_what_is_pushed(tmp_path: Path) -> None:
    directory, digest = tmp_path / "new" / "registry", Digest.of(CONTENT)
    with serving(directory) as url:
        upload = f"{url}/v2/team/app/blobs/uploads/?digest={digest}"
        assert answer_of("POST", upload, CONTENT)[0] == 201
    with serving(directory) as url:
        assert answer_of("GET", f"{url}/v2/team/app/blobs/{digest}") == (200, CONTENT)
