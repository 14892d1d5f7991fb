"""The exit codes, and which failure gets which (spec C-5)."""

from __future__ import annotations

from enum import IntEnum

from longshore.errors import (
    EngineUnavailable,
    InvalidValue,
    LongshoreError,
    ProgramForbidden,
    ProgramMissing,
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
    PROGRAM_FORBIDDEN = 126
    PROGRAM_MISSING = 127
    INTERRUPTED = 130


def exit_code_of(error: LongshoreError) -> ExitCode:
    """The exit code of an error that ended a command; of programs as docker and shells have it."""
    if isinstance(error, ProgramMissing):
        return ExitCode.PROGRAM_MISSING
    if isinstance(error, ProgramForbidden):
        return ExitCode.PROGRAM_FORBIDDEN
    if isinstance(error, EngineUnavailable):
        return ExitCode.NO_ENGINE
    if isinstance(error, UsageError | InvalidValue | SecretError):
        return ExitCode.USAGE
    return ExitCode.FAILED
