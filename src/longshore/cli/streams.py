"""The process's streams, directory and threads when they are not what a program expects."""

from __future__ import annotations

import errno
import os
import stat
import sys
from typing import BinaryIO

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF})


def open_missing() -> None:
    """Open the null device in place of standard streams the caller closed (``>&-``).

    Else the next file or socket would get the number of standard output, and what we print with it.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.dup2(os.open(os.devnull, os.O_RDWR), number)
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, "w" if number else "r", closefd=False))


def unblocking(stream: BinaryIO) -> BinaryIO:
    """The pipe or terminal behind `stream`, opened anew so that a write to it never waits.

    Whether an open file blocks is the same for all who share it, the shell too; hence one of our
    own (Linux: proc(5), ``/proc/self/fd``). `stream` itself where there is none to be had.
    """
    number = stream.fileno()
    if not stat.S_ISFIFO(os.fstat(number).st_mode) and not stream.isatty():
        return stream
    flags = os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY
    try:
        return os.fdopen(os.open(f"/proc/self/fd/{number}", flags), "wb", buffering=0)
    except OSError:
        return stream


def is_lost_output(error: BaseException) -> bool:
    """Whether `error` is that of a standard stream which cannot be written.

    Errors of files carry the file's name, or were translated where they happened.
    """
    if isinstance(error, BrokenPipeError):
        return True
    return isinstance(error, OSError) and error.filename is None and error.errno in _NO_ROOM


def is_lost_directory() -> bool:
    """Whether somebody has removed the directory we were started in."""
    try:
        os.getcwd()  # noqa: PTH109  # pathlib costs 10 ms at start-up
    except FileNotFoundError:
        return True
    return False


def is_want_of_threads(error: BaseException) -> bool:
    """Whether a limit of processes is reached, which Python tells by these words alone."""
    return isinstance(error, RuntimeError) and str(error) == "can't start new thread"


def told_lost_output(error: BaseException) -> None:
    """Say that standard output cannot be written; nothing when merely its reader has left."""
    _let_go(1)
    if not isinstance(error, BrokenPipeError):
        reason = os.strerror(getattr(error, "errno", None) or errno.EIO).lower()
        say(f"Error: standard output cannot be written: {reason}")


def say(text: str) -> None:
    """Write a line to standard error, or nowhere when that cannot be written either."""
    try:
        print(text, file=sys.stderr, flush=True)
    except OSError:
        _let_go(2)


def _let_go(stream: int) -> None:
    """What is still buffered goes to the null device: the interpreter must not stumble at exit."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, stream)
    os.close(null)
