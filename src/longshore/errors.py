"""The exception tree: what can go wrong, and whose fault it is.

::

    LongshoreError              message, hint; never raised itself
    ├── UsageError              the command line cannot mean anything          exit 2
    ├── InvalidValue            a text that is no digest, reference, key, …    exit 2
    ├── SecretError             key or encrypted text unusable                 exit 2
    │   ├── KeyUnavailable          no key, or not a key
    │   └── DecryptionFailed        wrong key, or the text was changed
    ├── EngineError             the container engine refused or broke          exit 1
    │   ├── EngineUnavailable       no engine answers                          exit 125
    │   ├── NotFound                the engine has no such object
    │   ├── Conflict                the object exists or is in the wrong state
    │   ├── NoFreeNetwork           all addresses for networks are taken
    │   ├── ProgramMissing          a container's program is not there         exit 127
    │   ├── ProgramForbidden        it may not be executed                     exit 126
    │   ├── BuildFailed             a Dockerfile step failed
    │   ├── PullFailed              an image could not be pulled
    │   └── EnginePushFailed        the engine's own push failed
    └── RegistryError           a registry refused or broke                    exit 1
        ├── RegistryUnavailable     it could not be reached, or never recovered
        ├── RegistryDenied          401 or 403: the credentials do not suffice
        └── ContentMismatch         bytes do not have the digest they should

A failed step is not an exception but a value (`longshore.run.outcome`).
Errors of foreign libraries are translated where they enter (`engine/docker/errors.py`,
`registry/transport/errors.py`), each with the original as ``__cause__``.
"""

from __future__ import annotations


class LongshoreError(Exception):
    """Something we can explain: `message` says what is, `hint` what to do about it."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(LongshoreError):
    """The command line cannot mean anything."""


class InvalidValue(LongshoreError):
    """A text is not what it should be: a digest, an image reference, a duration."""


class SecretError(LongshoreError):
    """A key or an encrypted text cannot be used; never carries the secret itself."""


class KeyUnavailable(SecretError):
    """There is no AES key where one is needed, or what is there is no key (spec E-2, 6.6)."""


class DecryptionFailed(SecretError):
    """The key is wrong or the text was changed (spec E-9, E-13)."""


class EngineError(LongshoreError):
    """The container engine refused a request, or broke while it worked on it.

    `denied`: a registry wanted other credentials than those that came with the request.
    """

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        status: int | None = None,
        denied: bool = False,
    ) -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.denied = denied


class EngineUnavailable(EngineError):
    """No container engine answers, and none could be started."""


class NotFound(EngineError):
    """The engine has no such container, image, network or volume."""


class Conflict(EngineError):
    """The object exists already, or its state does not allow the request."""


class NoFreeNetwork(EngineError):
    """All addresses the engine may give to networks are taken."""


class ProgramMissing(EngineError):
    """The program that a container was to run is not in its image."""


class ProgramForbidden(EngineError):
    """What a container was to run is there, and is no program that may be executed."""


class BuildFailed(EngineError):
    """An image build failed; the output was emitted line by line before."""


class PullFailed(EngineError):
    """An image could not be pulled."""


class EnginePushFailed(EngineError):
    """The engine's own push of an image failed."""


class RegistryError(LongshoreError):
    """A registry refused a request, or broke while it worked on it.

    `registry` and `repository` name the place, `status` the HTTP status if there was an answer,
    `code` and `detail` the registry's own words (OCI distribution spec, "Error Codes"); `tag` is
    set where only one of several was refused.
    """

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        registry: str | None = None,
        repository: str | None = None,
        status: int | None = None,
        code: str | None = None,
        detail: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.registry = registry
        self.repository = repository
        self.tag: str | None = None
        self.status = status
        self.code = code
        self.detail = detail


class RegistryUnavailable(RegistryError):
    """The registry could not be reached, or did not recover within the limits."""


class RegistryDenied(RegistryError):
    """401 or 403: the credentials (or their absence) do not suffice."""


class ContentMismatch(RegistryError):
    """Bytes do not have the digest or size that was announced for them."""
