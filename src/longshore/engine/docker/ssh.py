"""An engine behind ``ssh://``: its socket forwarded to a private one of ours."""

from __future__ import annotations

import shlex
import signal
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

import anyio
from anyio.abc import Process

from longshore.engine.endpoint import remote_socket
from longshore.errors import EngineUnavailable
from longshore.processes import killed, opened, send


def command(url: str, local: Path) -> list[str]:
    """The ssh command line that forwards `local` to the engine's socket on the host of `url`.

    LocalCommand runs when the forward is ready (ssh_config(5), PermitLocalCommand): its output is
    the event we wait for.
    """
    words = ["ssh", "-nNT", "-o", "BatchMode=yes", "-o", "ExitOnForwardFailure=yes"]
    words += ["-o", "ServerAliveInterval=30", "-o", "StreamLocalBindMask=0177"]
    words += ["-o", "PermitLocalCommand=yes", "-o", "LocalCommand=echo ready"]
    return [*words, "-L", f"{local}:{remote_socket(url)}", *_destination(url)]


def _destination(url: str) -> list[str]:
    parts = urlsplit(url)
    user = ["-l", unquote(parts.username)] if parts.username else []
    port = ["-p", str(parts.port)] if parts.port else []
    return [*user, *port, "--", _host(parts)]


def _host(parts: SplitResult) -> str:
    """As it is written: ssh_config(5) tells names by their case, which `hostname` drops."""
    written = parts.netloc.rpartition("@")[2]
    if written.startswith("["):
        return written[1:].partition("]")[0]
    return written.partition(":")[0]


@asynccontextmanager
async def forward(url: str) -> AsyncIterator[Path]:
    """The forwarded socket; the ssh process ends with the block."""
    with tempfile.TemporaryDirectory(prefix="longshore-ssh-") as directory:
        local = Path(directory, "engine.sock")
        words = command(url, local)
        try:
            # Out of the reach of Ctrl-C at the terminal: clean-up goes this way.
            process = await opened(words, start_new_session=True)
        except OSError as exception:
            raise EngineUnavailable(
                f"ssh cannot be started: {exception.strerror}",
                hint="install the OpenSSH client, or use a unix:// or tcp:// address",
            ) from exception
        try:
            await _ready(process, url)
            yield local
        finally:
            with anyio.CancelScope(shield=True):
                await _end(process)


async def _ready(process: Process, url: str) -> None:
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        await process.stdout.receive()
    except anyio.EndOfStream:
        said = b""
        async for part in process.stderr:
            said += part
        by_hand = shlex.join(["ssh", *_destination(url), "docker", "version"])
        raise EngineUnavailable(
            f"no ssh connection to {url}: {said.decode(errors='replace').strip()}",
            hint=f"try by hand: {by_hand}",
        ) from None


async def _end(process: Process) -> None:
    send(process, signal.SIGTERM)
    with anyio.move_on_after(5):
        await process.wait()
    await killed(process)
