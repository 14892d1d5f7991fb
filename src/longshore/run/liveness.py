"""Telling a living run from a dead one, on this machine (spec C-24).

A run holds an exclusive ``flock`` on a file named for it. The kernel drops the lock when the
process ends, however it ends, and a recycled process id cannot fake it. Labels carry host, boot
and process as well, for runs whose lock file is out of reach (another user's, another HOME). Where
a process cannot be seen either (in another container of one machine), its run counts as alive.
No clock takes part that can be set: a process's start is counted from the boot (proc(5)).
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Container, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from msgspec import Struct

from longshore.secrets.atomic_file import explained

HOST_LABEL = "dev.longshore.host"
BOOT_LABEL = "dev.longshore.boot"
PROCESS_LABEL = "dev.longshore.process"
NAMESPACE_LABEL = "dev.longshore.pid-namespace"

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_MACHINE_ID = Path("/etc/machine-id")
_NAMESPACE = Path("/proc/self/ns/pid")


class ProcessIdentity(Struct, frozen=True, kw_only=True):
    """Host, boot and process; `process` is ``pid:start`` with the kernel's start time.

    `namespace` is that of the process id (pid_namespaces(7)), as the kernel writes it.
    """

    host: str
    boot: str
    process: str
    namespace: str

    @staticmethod
    def of_this_process() -> ProcessIdentity:
        """The identity of the process that runs this code."""
        return ProcessIdentity(
            host=_host(),
            boot=_read(_BOOT_ID) or "unknown",
            process=_process(os.getpid()),
            namespace=_namespace(),
        )

    def labels(self) -> dict[str, str]:
        """The identity as engine labels."""
        return {
            HOST_LABEL: self.host,
            BOOT_LABEL: self.boot,
            PROCESS_LABEL: self.process,
            NAMESPACE_LABEL: self.namespace,
        }


@contextmanager
def held_lock(directory: Path, run: str) -> Iterator[None]:
    """Mark `run` as living while the block runs; `directory` is made when it is missing.

    Raises InvalidValue when it cannot be written.
    """
    path = _lock_path(directory, run)
    with explained(directory, "set XDG_STATE_HOME to a directory that can be written"):
        directory.mkdir(parents=True, exist_ok=True)
        descriptor = _held(path)
    try:
        yield
        path.unlink(missing_ok=True)
    finally:
        os.close(descriptor)


def _held(path: Path) -> int:
    """A new file, locked; one that was taken for a dead run's before it was, is made once more."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(descriptor), path.stat()):
                return descriptor
        os.close(descriptor)


class Liveness(Struct, frozen=True):
    """Decides for labelled resources whether their run still lives."""

    directory: Path
    here: ProcessIdentity

    def is_alive(self, run: str, labels: Mapping[str, str]) -> bool:
        """Whether the run may still be alive; one of another machine or container always may."""
        if labels.get(HOST_LABEL) != self.here.host:
            return True
        locked = _locked(_lock_path(self.directory, run))
        if locked is not None:
            return locked
        if labels.get(BOOT_LABEL) != self.here.boot:
            return False
        if labels.get(NAMESPACE_LABEL) != self.here.namespace:
            return True
        return _runs(labels.get(PROCESS_LABEL, ""))

    def forget_all(self, *, but: Container[str]) -> None:
        """Remove the lock files of dead runs, `but` of those that have something left."""
        for path in self.directory.glob("*.lock"):
            if path.stem not in but:
                _forget(path)


def _lock_path(directory: Path, run: str) -> Path:
    return directory / f"{Path(run).name}.lock"


def _locked(path: Path) -> bool | None:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return None
    except ValueError:  # no file can be called so, hence no run of ours: it is left alone
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _forget(path: Path) -> None:
    """Remove a lock file that nobody holds; while we hold it, nobody can begin to."""
    with suppress(OSError), path.open("r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        path.unlink()


def _runs(process: str) -> bool:
    pid = process.partition(":")[0]
    return pid.isdecimal() and _process(int(pid)) == process


def _process(pid: int) -> str:
    """``pid:start``; field 22 of /proc/<pid>/stat, counted after the name in parentheses."""
    stat = _read(Path(f"/proc/{pid}/stat"))
    fields = stat.rpartition(")")[2].split()
    return f"{pid}:{fields[19] if len(fields) > 19 else 'gone'}"


def _namespace() -> str:
    """``pid:[4026531836]``; of the namespaces that exist no two have one number."""
    with suppress(OSError):
        return str(_NAMESPACE.readlink())
    return "unknown"


def _host() -> str:
    return _read(_MACHINE_ID) or os.uname().nodename


def _read(path: Path) -> str:
    with suppress(OSError):
        return path.read_text().strip()
    return ""
