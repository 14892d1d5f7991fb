"""Asking docker's credential helpers: programs ``docker-credential-NAME``.

The protocol is that of github.com/docker/docker-credential-helpers: the verb is the only argument,
the registry goes in on standard input, the answer is JSON on standard output. No secret is ever
in an argument.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from subprocess import CompletedProcess
from typing import Final

import anyio
from msgspec import Struct

from longshore.errors import RegistryError
from longshore.processes import run
from longshore.secrets.credential import Credential
from longshore.secrets.secret import Secret

TOKEN_USER: Final = "<token>"  # noqa: S105 -- a name, not a password
"""The user name that marks the secret as an identity token."""

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_NOT_FOUND: Final = "credentials not found"
_TIMEOUT: Final = 30.0
_SHOWN: Final = 200
_MAX_LINE: Final = 4096  # fits into any pipe at once


class CredentialHelper(Struct, frozen=True, kw_only=True):
    """One helper by its short `name` (``osxkeychain``); `environment` is given to the program.

    All methods raise RegistryError when it is missing, fails, is silent for `timeout` seconds or
    answers nonsense.
    """

    name: str
    environment: Mapping[str, str]
    timeout: float = _TIMEOUT

    @property
    def program(self) -> str:
        """The name of the program."""
        return f"docker-credential-{self.name}"

    async def get(self, registry: str) -> Credential | None:
        """What the helper has for `registry`, spelled as it was at the login; None: nothing."""
        done = await self._run("get", registry)
        said = _text(done)
        if done.returncode != 0:
            if said.lower().startswith(_NOT_FOUND):
                return None
            raise self._error(f"failed for {registry}: {said[:_SHOWN] or 'it gave no reason'}")
        answer = self._object(done.stdout)
        username, secret = answer.get("Username"), answer.get("Secret")
        if not isinstance(secret, str) or not isinstance(username, str):
            raise self._error(f"gave an answer without Username and Secret for {registry}")
        return self._credential(username, secret) if secret else None

    async def list(self) -> tuple[str, ...]:
        """The registries the helper has credentials for."""
        done = await self._run("list", "")
        if done.returncode != 0:
            raise self._error(f"cannot list: {_text(done)[:_SHOWN] or 'it gave no reason'}")
        return tuple(self._object(done.stdout))

    def _credential(self, username: str, secret: str) -> Credential:
        if username == TOKEN_USER:
            return Credential(identity_token=Secret(secret), origin=self.program)
        return Credential(username=username, password=Secret(secret), origin=self.program)

    async def _run(self, verb: str, line: str) -> CompletedProcess[bytes]:
        if not _NAME.fullmatch(self.name):
            raise self._error("is not the name of a program")
        try:
            with anyio.fail_after(self.timeout), _holding(f"{line}\n".encode()) as stdin:
                return await run([self.program, verb], stdin=stdin, env=self.environment)
        except TimeoutError as error:
            raise self._error(f"did not answer within {self.timeout:g} seconds") from error
        except FileNotFoundError as error:
            raise self._error("is not installed, or not in PATH") from error
        except OSError as error:
            raise self._error(f"could not be used: {error.strerror}") from error

    def _object(self, answer: bytes) -> dict[str, object]:
        try:
            value = json.loads(answer)
        except ValueError:
            # The cause would carry the answer.
            value = None
        if not isinstance(value, dict):
            raise self._error("gave an answer that is not a JSON object")
        return value

    def _error(self, what: str) -> RegistryError:
        return RegistryError(
            f'the credential helper "{self.program}" {what}',
            hint="your docker configuration names it; repair it, or do without your own "
            "credentials: --no-user-credentials",
        )


@contextmanager
def _holding(line: bytes) -> Iterator[int]:
    """A descriptor that `line` can be read from, whether the program cares to or not.

    Writing while it runs would break when it ends without reading.
    """
    reading, writing = os.pipe()
    try:
        os.write(writing, line[:_MAX_LINE])
        os.close(writing)
        yield reading
    finally:
        os.close(reading)


def _text(done: CompletedProcess[bytes]) -> str:
    return (done.stdout.strip() or done.stderr.strip()).decode("utf-8", "replace")
