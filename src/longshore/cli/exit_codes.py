"""The exit codes, and which failure gets which (spec C-5)."""

from __future__ import annotations

from enum import IntEnum

from longshore.errors import (
    EngineUnavailable,
    InvalidValue,
    LongshoreError,
    SecretError,
    UsageError,
)


class ExitCode(IntEnum):
    """What the process tells its caller."""

    PASSED = 0
    FAILED = 1
    USAGE = 2
    BUG = 3
    NO_ENGINE = 125
    INTERRUPTED = 130


def exit_code_of(error: LongshoreError) -> ExitCode:
    """The exit code of an error that ended a command."""
    if isinstance(error, EngineUnavailable):
        return ExitCode.NO_ENGINE
    if isinstance(error, UsageError | InvalidValue | SecretError):
        return ExitCode.USAGE
    return ExitCode.FAILED
